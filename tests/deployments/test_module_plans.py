"""Which modules a deployment installs and updates."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.exceptions import Problem
from apps.deployments import modules


def module(content: str = "1", *, kind: str = "primary", version: str = "1.0", **values: Any) -> dict[str, Any]:
    return {"kind": kind, "version": version, "hash": content, "depends": [], "installable": True} | (
        {"auto_install": False} | values
    )


MODULES = {
    "shop": module(depends=["sale", "tools"]),
    "tools": module(kind="module"),
    "old": module(installable=False),
    "glue": module(kind="module", auto_install=True),
}


def test_without_a_list_the_primary_repository_counts() -> None:
    assert modules.wanted_modules([], MODULES) == ["shop"]


def test_a_list_may_name_modules_of_odoo_itself() -> None:
    assert modules.wanted_modules(["tools", "sale"], MODULES) == ["sale", "tools"]


def test_base_alone_means_nothing_more() -> None:
    assert modules.wanted_modules(["base"], MODULES) == []


def test_a_listed_module_must_be_installable() -> None:
    with pytest.raises(Problem, match="old"):
        modules.wanted_modules(["old"], MODULES)


def test_a_seed_depends_on_everything_that_comes_along() -> None:
    assert modules.with_dependencies(["shop", "sale"], MODULES) == {"shop": "1", "tools": "1", "glue": "1", "sale": ""}


def test_dependencies_in_a_circle_end() -> None:
    circle = {"a": module(depends=["b"]), "b": module(depends=["a"])}
    assert modules.with_dependencies(["a"], circle) == {"a": "1", "b": "1"}


def test_a_new_database_gets_what_its_seed_has_not() -> None:
    assert modules.plan_first(["shop", "sale"], ["sale"]).install == ("shop",)


def plan(states: dict[str, tuple[str, str]], applied: dict[str, Any], **values: Any) -> modules.ModulePlan:
    chosen = {"wanted": ["shop"], "is_listed": False, "modules": MODULES, "version": "19.0"} | values
    return modules.plan_next(states=states, applied=applied, **chosen)


INSTALLED = {"shop": ("installed", "19.0.1.0"), "tools": ("installed", "19.0.1.0"), "sale": ("installed", "19.0.1.2")}


def test_nothing_changed_nothing_to_do() -> None:
    assert not plan(INSTALLED, {name: {"hash": "1", "version": "1.0"} for name in MODULES})


def test_changed_content_is_updated() -> None:
    assert plan(INSTALLED, {"shop": {"hash": "0"}, "tools": {"hash": "1"}}).update == ("shop",)


def test_without_a_record_a_higher_version_is_updated() -> None:
    higher = MODULES | {"shop": module(version="1.1")}
    assert plan(INSTALLED, {}, modules=higher).update == ("shop",)


def test_versions_are_compared_by_number() -> None:
    higher = MODULES | {"shop": module(version="19.0.1.10.0")}
    states = INSTALLED | {"shop": ("installed", "19.0.1.9.0")}
    assert plan(states, {}, modules=higher).update == ("shop",)


def test_what_is_not_installed_is_not_updated() -> None:
    applied = {name: {"hash": "0"} for name in MODULES}
    assert plan({"shop": ("uninstalled", "")}, applied) == modules.ModulePlan()


def test_a_module_uninstalled_on_purpose_stays_uninstalled() -> None:
    assert not plan({"shop": ("uninstalled", "")}, {"shop": {"hash": "1"}}).install


def test_a_listed_module_is_installed_again() -> None:
    assert plan({"shop": ("uninstalled", "")}, {"shop": {"hash": "1"}}, is_listed=True).install == ("shop",)


def test_a_new_module_is_installed() -> None:
    assert plan({}, {"tools": {"hash": "1"}}).install == ("shop",)


def test_arguments_are_as_odoo_takes_them() -> None:
    assert modules.ModulePlan(("a", "b"), ("c",)).arguments() == ["-i", "a,b", "-u", "c"]


def test_an_unknown_dependency_is_named() -> None:
    with pytest.raises(Problem) as caught:
        modules.check_dependencies(["shop"], MODULES, ["base"], "19.0")
    assert "shop" in caught.value.title
    assert "sale" in caught.value.title


def test_known_dependencies_pass() -> None:
    modules.check_dependencies(["shop"], MODULES, ["base", "sale"], "19.0")


@pytest.mark.parametrize(
    ("version", "adapted"), [("1.0", "19.0.1.0"), ("19.0.2.0", "19.0.2.0"), ("", "19.0.1.0"), ("19.0", "19.0")]
)
def test_versions_are_adapted_as_odoo_does(version: str, adapted: str) -> None:
    assert modules.adapt_version(version, "19.0") == adapted


def test_an_unknown_dependency_may_be_in_what_could_not_be_read() -> None:
    with pytest.raises(Problem) as caught:
        modules.check_dependencies(["shop"], MODULES, ["base"], "19.0", left_out=["Tools"])
    assert (caught.value.code, caught.value.who) == ("deployments.module_left_out", "platform staff")
    assert "Tools" in caught.value.what_to_do


def test_modules_of_the_platform_are_installed_only_when_somebody_wants_them() -> None:
    shared = {"shared": module(kind="platform"), "needed": module(kind="platform")}
    known = MODULES | shared | {"shop": module(depends=["needed"])}
    assert modules.wanted_modules([], known) == ["shop"]
    assert modules.wanted_modules(["shared"], known) == ["shared"]
    assert set(modules.with_dependencies(["shop"], known)) == {"shop", "needed", "glue"}
    assert not plan({"shop": ("installed", "19.0.1.0")}, {name: {"hash": "1"} for name in known}, modules=known)


def test_what_is_installed_and_has_no_code_any_more_is_named() -> None:
    states = {
        "shop": ("installed", ""),
        "gone": ("installed", ""),
        "never": ("uninstalled", ""),
        "sale": INSTALLED["sale"],
    }
    applied = {name: {"hash": "1"} for name in ("shop", "gone", "never")}
    assert modules.vanished(MODULES, states, applied) == ["gone"]
