"""Rules about the code itself that no linter knows."""

import ast
from pathlib import Path

import pytest

from tests.rules.sources import called, name, python_files, tree

PAGES = list(python_files("pages"))
GATES = {"enter", "enter_desk"}
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
SCREEN = ("core/ui/", "core/shell.py")


def _statements(path: Path) -> list[ast.stmt]:
    """Return what a page does at the top, imports, definitions and constants left out."""
    quiet = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return [
        node
        for node in tree(path).body
        if not isinstance(node, quiet) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


@pytest.mark.parametrize("path", PAGES, ids=name)
class TestPage:
    def test_opens_its_gate_before_anything_else(self, path: Path) -> None:
        acts = [node for node in _statements(path) if any(isinstance(part, ast.Call) and called(part) != "N_" for part in ast.walk(node))]
        first = [called(part) for part in ast.walk(acts[0]) if isinstance(part, ast.Call)]
        assert GATES & set(first), f"{name(path)} does something before its gate"

    def test_holds_no_query_and_no_markup_of_its_own(self, path: Path) -> None:
        used = {called(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        assert not used & {"select", "exec", "execute", "html"}


class TestClock:
    def test_nothing_but_the_clock_asks_for_the_time(self) -> None:
        found = [
            (name(path), node.lineno)
            for path in python_files("core", "pages", "seed", "app.py")
            if name(path) != "core/clock.py"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCKS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"datetime", "date", "time"}
        ]
        assert found == []


class TestStreamlit:
    def test_is_imported_where_something_is_drawn_only(self) -> None:
        found = [
            name(path)
            for path in python_files("core", "seed")
            if not name(path).startswith(SCREEN)
            and any("streamlit" in ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, (ast.Import, ast.ImportFrom)))
        ]
        assert found == []

    def test_streamlit_authenticator_is_imported_in_one_file(self) -> None:
        found = {
            name(path)
            for path in python_files("core", "pages", "seed", "app.py")
            if any(
                "streamlit_authenticator" in ast.unparse(node)
                for node in ast.walk(tree(path))
                if isinstance(node, (ast.Import, ast.ImportFrom))
            )
        }
        assert found == {"core/ui/sign_in.py"}


class TestServices:
    def test_no_service_commits(self) -> None:
        found = [
            (name(path), node.lineno)
            for path in python_files("core/services")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and called(node) in {"commit", "begin_nested"}
        ]
        assert found == []

    def test_every_public_verb_that_takes_an_actor_checks_his_right_first(self) -> None:
        found = []
        for path in python_files("core/services"):
            if name(path) == "core/services/audit.py":
                continue
            for node in tree(path).body:
                if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                    continue
                arguments = [argument.arg for argument in node.args.args[:2]]
                if arguments == ["session", "actor"] and not _asks(node):
                    found.append(f"{name(path)}:{node.name}")
        assert found == []


def _asks(function: ast.FunctionDef) -> bool:
    """Whether one of the first statements checks a right, hands the actor on to a verb that does, or is about his own account alone."""
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return any(
        (
            isinstance(part, ast.Call)
            and (called(part) == "require" or any(isinstance(argument, ast.Name) and argument.id == "actor" for argument in part.args))
        )
        or ast.unparse(part) == "actor.user_id"
        for node in body[:3]
        for part in ast.walk(node)
    )
