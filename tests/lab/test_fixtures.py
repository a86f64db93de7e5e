"""Without root the lab's tests are left out and counted, and everything else runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab.commands import execute
from tests.lab.paths import REPOSITORY

pytestmark = pytest.mark.lab

EXAMPLE = """
import pytest

@pytest.mark.lab
def test_one(lab):
    raise AssertionError("the lab was used without root")

@pytest.mark.lab
@pytest.mark.parametrize("number", [1, 2])
def test_two(number):
    raise AssertionError("ran without root")

def test_of_something_else():
    pass
"""


def test_without_root_the_lab_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(EXAMPLE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = lab: needs root\n")
    # A user namespace without a mapping: the process is nobody there, and may do what nobody may.
    as_nobody = ["unshare", "--user", sys.executable, "-m", "pytest", "-p", "tests.lab.fixtures", "-p", "no:django"]
    result = execute([*as_nobody, "-p", "no:cacheprovider", "--rootdir", tmp_path, "-c", tmp_path / "pytest.ini",
                      tmp_path], directory=REPOSITORY)  # fmt: skip
    assert "1 passed, 3 deselected" in result.stdout
    assert "3 tests of the lab were left out: they need root" in result.stdout
