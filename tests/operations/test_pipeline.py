"""Declaring pipelines: mistakes are found when the program starts."""

from __future__ import annotations

import pytest

from apps.operations.pipeline import Pipeline, Step, get_pipeline, register
from tests.operations.toys.pipelines import TWO, make_steps


def test_a_pipeline_is_found_by_its_kind():
    assert get_pipeline("toy.two") is TWO
    with pytest.raises(KeyError):
        get_pipeline("toy.none")


def test_a_kind_is_registered_once():
    register(TWO)  # the same again is harmless
    with pytest.raises(ValueError, match="registered twice"):
        register(Pipeline("toy.two", "Another", make_steps("one")))


@pytest.mark.parametrize("kind", ["two", "Toy.two", "toy.", "toy two", "toy.two;", ""])
def test_a_kind_is_dotted_and_lower_case(kind):
    with pytest.raises(ValueError, match="dotted kind"):
        Pipeline(kind, "Title", make_steps("one"))


@pytest.mark.parametrize("names", [(), ("One",), ("one two",), ("1st",)])
def test_there_is_at_least_one_step_with_a_proper_name(names):
    with pytest.raises(ValueError, match="at least one step"):
        Pipeline("toy.wrong", "Title", make_steps(*names))


def test_names_of_steps_differ():
    with pytest.raises(ValueError, match="two steps of one name"):
        Pipeline("toy.wrong", "Title", make_steps("one", "one"))


def test_a_step_is_found_by_its_name():
    assert TWO.step("two").title == "Make two"
    with pytest.raises(KeyError):
        TWO.step("three")


def test_a_step_says_what_is_usual():
    step = Step("one", "One", print)
    assert (step.undo, step.final, step.survives, step.undo_on_failure) == (None, False, "repeat", True)
    assert step.needed(None) is True
