"""Modules in a folder of source: found where Odoo would look, read without being run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Problem
from apps.projects.manifests import addons_directories, content_hash, is_module_name, manifests, unusable_directories

GOOD = "{'name': 'Sale', 'depends': ['base', 'sale'], 'version': '19.0.1.2.0'}"


def module(tree, path, manifest=GOOD):
    folder = tree / path
    folder.mkdir(parents=True)
    (folder / "__manifest__.py").write_text(manifest)
    return folder


def test_what_a_manifest_says(tmp_path):
    module(
        tmp_path,
        "agency_sale",
        "# comment\n{'name': 'X', 'depends': ('sale',), 'version': '1.0', 'installable': False,"
        " 'external_dependencies': {'python': ['phonenumbers'], 'bin': ['wkhtmltopdf']}, 'auto_install': True}\n",
    )
    [found] = manifests(tmp_path)
    assert (found.name, found.path, found.depends, found.version) == ("agency_sale", "agency_sale", ("sale",), "1.0")
    assert (found.installable, found.auto_install) == (False, True)
    assert found.external_dependencies == {"python": ("phonenumbers",), "bin": ("wkhtmltopdf",)}


def test_defaults(tmp_path):
    module(tmp_path, "m", "{'name': 'M'}")
    [found] = manifests(tmp_path)
    assert (found.depends, found.version, found.installable, found.external_dependencies) == ((), "", True, {})


def test_modules_in_folders_below_and_the_first_of_two(tmp_path):
    module(tmp_path, "top")
    module(tmp_path, "addons/one")
    module(tmp_path, "vendor/oca/two")
    module(tmp_path, "vendor/oca/one", "{'version': 'other'}")
    module(tmp_path, "top/static/not_a_module")
    module(tmp_path, ".hidden/three")
    assert addons_directories(tmp_path) == [".", "addons", "vendor/oca"]
    assert {found.name: found.version for found in manifests(tmp_path)} == {
        "top": "19.0.1.2.0",
        "one": "19.0.1.2.0",
        "two": "19.0.1.2.0",
    }


BAD_FOLDERS = ["a,b", "a\nsmtp_server = evil", " a", "a ", "~root", "$HOME", "a\tb", "a;b", 'a"b', "a\u2028b"]


@pytest.mark.parametrize("folder", BAD_FOLDERS)
def test_a_folder_that_would_be_a_line_of_the_configuration_is_left_out(tmp_path, folder):
    module(tmp_path, "good/one")
    module(tmp_path, f"{folder}/two")
    module(tmp_path, f"deep/{folder}/below/three")
    assert addons_directories(tmp_path) == ["good"]
    assert sorted(unusable_directories(tmp_path)) == sorted([folder, f"deep/{folder}/below"])
    assert [found.name for found in manifests(tmp_path)] == ["one"]


@pytest.mark.parametrize("folder", ["my addons", "größe", "a.b-c_d+e@f", "-x"])
def test_folders_that_people_use(tmp_path, folder):
    module(tmp_path, f"{folder}/one")
    assert addons_directories(tmp_path) == [folder]
    assert unusable_directories(tmp_path) == []


def test_no_modules(tmp_path):
    (tmp_path / "README.md").write_text("x")
    assert addons_directories(tmp_path) == []
    assert manifests(tmp_path) == []


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{'name': 'X',\n 'depends': ['base'", "Line"),
        ("__import__('os').system('touch /tmp/owned')", "one plain dictionary"),
        ("{'name': open('/etc/passwd').read()}", "one plain dictionary"),
        ("['a']", "must be a dictionary"),
        ("{'depends': 'base'}", "must be a list of texts"),
        ("{'depends': ['base; rm']}", "no module name"),
        ("{'depends': ['--stop-after-init']}", "no module name"),
        ("{'external_dependencies': ['x']}", "must be a dictionary"),
        ("{'a': " + "(" * 5000 + ")" * 5000 + "}", ""),
        ("", ""),
        ("\0", ""),
    ],
)
def test_manifests_that_cannot_be_read(tmp_path, manifest, reason):
    module(tmp_path, "agency_sale", manifest)
    with pytest.raises(Problem) as caught:
        manifests(tmp_path)
    assert caught.value.code == "projects.manifest_invalid"
    assert "agency_sale" in caught.value.title
    assert reason in caught.value.what_to_do


def test_a_manifest_that_is_no_text(tmp_path):
    (module(tmp_path, "m") / "__manifest__.py").write_bytes(b"\xff\xfe{}")
    with pytest.raises(Problem, match="m/__manifest__"):
        manifests(tmp_path)


@pytest.mark.parametrize("name", ["--init", "a b", "a;b", "a,b", "9lives", "-i"])
def test_folders_that_are_no_names_for_modules(tmp_path, name):
    module(tmp_path, name)
    with pytest.raises(Problem) as caught:
        manifests(tmp_path)
    assert caught.value.code == "projects.module_name_invalid"


@given(st.text(max_size=20))
def test_a_module_name_is_one_word_of_a_list(text):
    if is_module_name(text):
        assert text.isascii()
        assert text.replace("_", "a").isalnum()
        assert not text[0].isdigit()


def test_the_hash_follows_the_content(tmp_path):
    one, two = module(tmp_path / "1", "m"), module(tmp_path / "2", "m")
    assert content_hash(one) == content_hash(two)
    (two / "__manifest__.py").chmod(0o755)
    assert content_hash(one) != content_hash(two)
    (two / "__manifest__.py").chmod(0o644)
    (two / "new").write_text("")
    assert content_hash(one) != content_hash(two)
    (two / "new").unlink()
    (two / "link").symlink_to("__manifest__.py")
    assert content_hash(one) != content_hash(two)


def test_moving_bytes_between_files_changes_the_hash(tmp_path):
    for number, (first, second) in enumerate((("ab", "c"), ("a", "bc"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "1").write_text(first)
        (folder / "2").write_text(second)
    assert content_hash(tmp_path / "0") != content_hash(tmp_path / "1")
