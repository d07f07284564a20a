"""Every sentence of the screen and of the papers exists in French, Dutch and German, with the same placeholders."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from tests.rules.sources import ROOT, called, name, python_files, tree

LANGUAGES = ("fr", "nl", "de")
FIRST = {"t": 0, "N_": 0, "translate": 1}
PLURAL = {"tn": 0, "translate_n": 1}


def _sentences(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        places = [FIRST[called(node)]] if called(node) in FIRST else [PLURAL[called(node)]] if called(node) in PLURAL else []
        for place in places:
            if len(node.args) > place:
                yield from _texts(node.args[place])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


SENTENCES = sorted({(text, name(path)) for path in python_files("core", "pages", "app.py") for text in _sentences(path)})


def _entries(language: str) -> Iterator[tuple[str, polib.POEntry]]:
    for path in sorted((ROOT / "locales" / language).glob("*.po")):
        for entry in polib.pofile(str(path)):
            yield name(path), entry


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("language", LANGUAGES)
class TestWords:
    def test_every_sentence_is_translated(self, language: str) -> None:
        known = {text for _, entry in _entries(language) if entry.translated() for text in (entry.msgid, entry.msgid_plural)}
        assert [found for found in SENTENCES if found[0] and found[0] not in known] == []

    def test_a_translation_keeps_the_placeholders(self, language: str) -> None:
        wrong = [
            (file, entry.msgid)
            for file, entry in _entries(language)
            for text in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])
            if _fields(text) - _fields(entry.msgid) - _fields(entry.msgid_plural or "")
        ]
        assert wrong == []

    def test_no_sentence_has_two_translations(self, language: str) -> None:
        texts: dict[str, set[str]] = {}
        for _, entry in _entries(language):
            texts.setdefault(entry.msgid, set()).add(str(entry.msgstr or sorted(entry.msgstr_plural.items())))
        assert {msgid: found for msgid, found in texts.items() if len(found) > 1} == {}

    def test_no_translation_is_left_over(self, language: str) -> None:
        used = {text for text, _ in SENTENCES}
        assert sorted({(file, entry.msgid) for file, entry in _entries(language) if entry.msgid not in used}) == []
