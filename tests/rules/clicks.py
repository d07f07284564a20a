"""What the screen offers, read from the code: the verbs that clicks carry out, the files that are made, and what each click calls."""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator

from tests.rules.sources import called, name, python_files, tree

BUTTONS = {"button", "form_submit_button", "download_button"}
CHANGES = {"on_click", "on_change", "on_submit"}
SCREEN = ("core/shell.py", "core/ui", "pages")


def verbs() -> dict[str, list[str]]:
    """Return the verbs that `act` carries out, each with the files that do so; a verb that is handed in is named by its variable."""
    found: dict[str, set[str]] = {}
    for file, node in _calls():
        if called(node) == "act" and node.args:
            found.setdefault(_verb(node.args[0], file), set()).add(file)
    return {verb: sorted(files) for verb, files in sorted(found.items())}


def files_made() -> list[str]:
    """Return the verbs that make a file at a click."""
    return sorted(
        {_verb(node.args[0], file) for file, node in _calls() if called(node) in {"made", "read_first"} and file != "core/ui/download.py"}
    )


def clicks() -> dict[str, list[str]]:
    """Return, for each file that draws, what its buttons and fields call; a button that calls nothing is named by its key."""
    found: dict[str, set[str]] = {}
    for file, node in _calls():
        given = {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}
        does = [given[word] for word in CHANGES & set(given) if given[word] != "'ignore'"]
        if not does and called(node) in BUTTONS:
            does = [f"key {given.get('key', '?')}"]
        if does:
            found.setdefault(file, set()).update(does)
    return {file: sorted(does) for file, does in sorted(found.items())}


def gates() -> dict[str, tuple[str, str]]:
    """Return, for each page, which gate it opens and with which right."""
    found = {}
    for path in python_files("pages"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and called(node) in {"enter", "enter_desk"}:
                found[path.stem] = (called(node), ast.unparse(node.args[0]).removeprefix("Permission."))
    return found


def handed_on() -> set[str]:
    """Return the services that the screen hands on to be carried out: named without being called."""
    found = set()
    for path in python_files("core/ui", "pages"):
        module = tree(path)
        done = {id(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in done:
                verb = _service(node.value.id, node.attr)
                if verb and [*inspect.signature(verb).parameters][:2] == ["session", "actor"]:
                    found.add(f"{node.value.id}.{node.attr}")
    return found


def guarded(verb: str) -> bool:
    """Whether a verb can't be carried out without what was shown: a version, or whatever else says that nothing changed since."""
    parameters = inspect.signature(_service(*verb.split("."))).parameters.values()  # type: ignore[arg-type]
    return any(one.name.startswith("shown_") and one.default is one.empty for one in parameters)


def _service(module: str, name: str) -> Callable[..., object] | None:
    try:
        found = getattr(importlib.import_module(f"core.services.{module}"), name, None)
    except ModuleNotFoundError:
        return None
    return found if inspect.isfunction(found) else None


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in python_files(*SCREEN):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield name(path), node


def _verb(node: ast.expr, file: str) -> str:
    """Return the name of a verb; of a partial, of what it holds; of a variable, with the file that hands it on."""
    if isinstance(node, ast.Call) and called(node) == "partial":
        return _verb(node.args[0], file)
    return ast.unparse(node) if isinstance(node, ast.Attribute) else f"{file}:{ast.unparse(node)}"
