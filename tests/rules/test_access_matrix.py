"""Who may do what, as data: `access.yaml` beside this file. A page, a right, an act or a button that is not in it fails here (S02).

What the data say is held against the code and tried out: each verb of a click is called as each role.
"""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from core.actor import ROLES, Actor, Permission, Role
from core.errors import NotPermitted
from core.ui.navigation import DESK_TABS, STORY, TABS
from tests.builders import make_customer
from tests.pages.conftest import NewDemo, _own_database, new_demo
from tests.rules import clicks
from tests.rules.sources import ROOT

assert _own_database
assert new_demo  # Fixtures of the pages: the matrix is tried out on them.

TOLD: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "rules" / "access.yaml").read_text("utf-8"))
PEOPLE = sorted(set(Role) - {Role.SYSTEM})
ACCOUNTS = {Role.CUSTOMER: "p01"} | {role: role.value for role in PEOPLE if role is not Role.CUSTOMER}
FILE = 7


class Untouchable:
    """Stands for any input, and for the database: a verb that looks at it has let the actor pass."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def verb_of(named: str) -> Callable[..., Any]:
    """Return a verb by its name, such as `contacts.change`."""
    module, _, name = named.partition(".")
    verb: Callable[..., Any] = getattr(importlib.import_module(f"core.services.{module}"), name)
    return verb


def may(role: Role, verb: Callable[..., Any]) -> bool:
    """Whether a verb lets a role pass on a file; what comes of its input afterwards does not matter."""
    actor = Actor(user_id=3, username=role.value, role=role, customer_id=FILE if role is Role.CUSTOMER else None)
    asked = list(inspect.signature(verb).parameters.values())[2:]
    given = {one.name: FILE if one.name == "customer_id" else Untouchable() for one in asked if one.kind is one.KEYWORD_ONLY}
    try:
        verb(Untouchable(), actor, **given)
    except NotPermitted:
        return False
    except Exception:  # noqa: BLE001 - it went on to its work, and stumbled over what stands for its input
        return True
    return True


class TestPermissions:
    def test_each_right_says_which_roles_hold_it(self) -> None:
        held = {right.value: sorted(role.value for role in PEOPLE if right in ROLES[role]) for right in Permission}
        assert TOLD["rights"] == held


class TestPages:
    def test_each_page_is_in_it_with_the_right_of_its_gate(self) -> None:
        found = {page: [gate, Permission[right].value] for page, (gate, right) in clicks.gates().items()}
        assert {page: [told["gate"], told["right"]] for page, told in TOLD["pages"].items()} == found

    def test_each_page_is_in_the_navigation_with_the_same_right(self) -> None:
        rights = {tab.path: right.value for tab, right in DESK_TABS.items()}
        assert {page: told["right"] for page, told in TOLD["pages"].items() if told["gate"] == "enter_desk"} == rights
        assert {page for page, told in TOLD["pages"].items() if told["gate"] == "enter"} == {tab.path for tab in (*TABS, STORY)}

    @pytest.mark.parametrize("role", PEOPLE)
    def test_each_page_opens_for_the_roles_it_names_and_for_no_other(self, role: Role, new_demo: NewDemo) -> None:
        with new_demo() as session:
            make_customer(session, customer_no="10000017")
        screen = AppTest.from_file(str(ROOT / "core" / "shell.py"), default_timeout=60).run()
        screen.button(key=f"sign_in:demo:{ACCOUNTS[role]}").click().run()
        opened = []
        for page in TOLD["pages"]:
            screen.query_params["customer"] = "10000017"
            screen.switch_page(f"../pages/{page}.py").run()
            assert not screen.exception, page
            if not [one for one in screen.warning if one.icon == ":material/lock:"]:
                opened.append(page)
        assert opened == [page for page, told in TOLD["pages"].items() if role.value in told["roles"]]


class TestActs:
    def test_each_act_of_the_screen_is_in_it(self) -> None:
        found = set(clicks.verbs())
        handed_on = {verb for verb in found if ":" in verb}
        assert set(TOLD["handed_on"]) == handed_on
        assert set(TOLD["acts"]) == found - handed_on | {verb for verbs in TOLD["handed_on"].values() for verb in verbs}

    @pytest.mark.parametrize("named", sorted(TOLD["acts"]))
    def test_each_act_is_let_pass_for_the_roles_it_names_and_refused_to_all_others(self, named: str) -> None:
        verb = verb_of(named)
        assert [role.value for role in PEOPLE if may(role, verb)] == TOLD["acts"][named]


class TestFiles:
    def test_each_file_that_is_made_at_a_click_is_in_it(self) -> None:
        assert sorted(TOLD["files"]) == clicks.files_made()

    @pytest.mark.parametrize("named", sorted(TOLD["files"]))
    def test_each_file_is_made_for_the_roles_it_names_and_for_no_other(self, named: str) -> None:
        told = TOLD["files"][named]
        assert [role.value for role in PEOPLE if may(role, verb_of(told["verb"]))] == told["roles"]


class TestClicks:
    def test_each_button_and_field_that_does_something_is_in_it(self) -> None:
        found = clicks.clicks()
        new = {file: sorted(set(does) - set(TOLD["clicks"].get(file, []))) for file, does in found.items()}
        assert {file: does for file, does in new.items() if does} == {}, "new on the screen: say so in tests/rules/access.yaml"
        gone = {file: sorted(set(does) - set(found.get(file, []))) for file, does in TOLD["clicks"].items()}
        assert {file: does for file, does in gone.items() if does} == {}, "gone from the screen: take it out of tests/rules/access.yaml"
