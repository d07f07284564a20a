"""Whom a name or an address leads to: by its words in any order, or by a slip of the fingers away from them (W16)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rapidfuzz.distance import OSA
from sqlalchemy import select
from sqlmodel import Session, col

from core import postcodes
from core.models.customer import ContactKind, ContactMedium
from core.services import search_text
from core.services.customers import written_name
from core.services.search_index import BAR
from core.services.search_terms import FETCHED, SHORTEST_FRAGMENT, Asked, Match, Sort, Why
from core.services.search_text import holds
from core.text_rules import address_line, fold

_ALIKE = 5000
"""How many names that share half of a mistyped one are compared with it."""
_SHORTEST_MISSPELT = 4


def by_name(session: Session, asked: Asked) -> Iterator[Match]:
    """Find names by their words or the beginnings of words, and between both those that are a slip of the fingers away from the whole."""
    if not asked.words:
        return
    whole = _named(session, asked, [_whole(word) for word in asked.words])
    equal = [one for one in whole if _is_form(asked.words, one[1])]
    others = whole[len(equal) :]
    near = _near(session, asked, asked.words, edits=1, parts=False) if len(asked.words) > 1 and not equal else []
    longer = _named(session, asked, asked.words) if len(whole) < asked.limit and not asked.words[-1].isdecimal() else []
    yield from (match for match, _ in equal)
    before = asked.limit // 4
    others = _one_of_each(others)
    yield from (match for match, _ in _one_of_each([*others[:before], *near, *others[before:], *longer]))


def _is_form(words: Sequence[str], name: str) -> bool:
    return " ".join(words) in _forms(name)


def _forms(name: str) -> list[str]:
    return [form.strip() for form in name.split(BAR)]


def _whole(word: str) -> str:
    return f"{word} " if len(word) > 1 else word


def _named(session: Session, asked: Asked, beginnings: Sequence[str]) -> list[tuple[Match, str]]:
    where = search_text.all_of([holds("name", f" {beginning}") for beginning in beginnings])
    found = []
    for row in search_text.people(session, where, limit=FETCHED):
        name = written_name(row.given_name, row.family_name, row.trading_name)
        if _literally(asked, f"{name} {row.family_name} {row.given_name} {row.second_holder}"):
            by_holder = row.second_holder and not _begin_words(asked.words, fold(name))
            match = Match(row.customer_id, Why.HOLDER, row.second_holder) if by_holder else Match(row.customer_id, Why.NAME, name)
            found.append((match, row.name))
    return sorted(found, key=lambda one: (not _is_form(asked.words, one[1]), one[0].why is Why.HOLDER, one[1], one[0].customer_id))


def _one_of_each(found: Sequence[tuple[Match, str]]) -> list[tuple[Match, str]]:
    """Put one customer of each name before the namesakes: whoever is meant is among the first."""
    many = Counter[str]()
    ranked = []
    for one in found:
        ranked.append((many[one[1]], one))
        many[one[1]] += 1
    return [one for _, one in sorted(ranked, key=lambda ranked_one: ranked_one[0])]


def by_place(session: Session, asked: Asked) -> Iterator[Match]:
    """Find addresses by their words, or a name with words of its address: "rue haute 12 namur", "peeters mechelen"."""
    words = asked.words
    too_little = len(words) == 1 and (len(words[0]) < SHORTEST_FRAGMENT or (words[0].isdecimal() and asked.sort is not Sort.ADDRESS))
    if not words or too_little:
        return
    columns = ("place",) if asked.sort is Sort.ADDRESS else ("name", "place")
    for beginnings in ([f"{word} " for word in words], [_whole(word) if word.isdecimal() else word for word in words], words):
        where = search_text.all_of([search_text.any_of([holds(column, f" {beginning}") for column in columns]) for beginning in beginnings])
        found = list(_placed(session, asked, search_text.people(session, where, limit=FETCHED)))
        if found:
            yield from found
            return
    if asked.sort is None and (split := _town_behind(words)):
        for edits in (1, 2):
            yield from (match for match, _ in _near(session, asked, split[0], edits=edits, towns=split[1]))


def _placed(session: Session, asked: Asked, rows: Sequence[Any]) -> Iterator[Match]:
    """Say of each customer whether he was found by his address alone."""
    m = ContactMedium
    columns = (getattr(m, name) for name in ("customer_id", "street", "number", "postcode", "town"))
    current = (col(m.customer_id).in_([row.customer_id for row in rows]), col(m.kind) == ContactKind.ADDRESS, col(m.until_at).is_(None))
    lines = {key: address_line(street, number, None, postcode, town, "") for key, street, number, postcode, town in
             session.execute(select(*columns).where(*current))}  # fmt: skip
    for row in rows:
        name, address = written_name(row.given_name, row.family_name, row.trading_name), lines.get(row.customer_id, "")
        if _literally(asked, f"{name} {row.second_holder} {address}"):
            by_place = _begin_words(asked.words, row.place)
            yield Match(row.customer_id, Why.ADDRESS if by_place else Why.NAME, address if by_place else name)


def _town_behind(words: Sequence[str]) -> tuple[list[str], Sequence[str]] | None:
    """Take the town off the end of a name, "petres mechelen", and return the towns it may be: "molenbeek" and "mechlen" too."""
    splits = [(list(words[:start]), " ".join(words[start:])) for start in range(1, len(words))]
    for names, town in splits:
        if postcodes.codes_of(town):
            return names, [town]
    return next(((names, towns) for names, town in splits if (towns := postcodes.meant(town))), None)


def by_near_name(session: Session, asked: Asked) -> Iterator[Match]:
    """Find names that differ from the term by a slip of the fingers, or two."""
    for edits in (1, 2):
        found = _one_of_each(_near(session, asked, asked.words, edits=edits))
        if found:
            yield from (match for match, _ in found)
            return


def _near(
    session: Session, asked: Asked, words: Sequence[str], *, edits: int, towns: Sequence[str] = (), parts: bool = True
) -> list[tuple[Match, str]]:
    """Find names at most so many letters away from what was typed: added, left out, mistaken or swapped.

    Of `edits + 1` pieces with a letter between them, one is in the name as it was typed: those names are compared letter by letter.
    With `parts`, each typed word may also be near a word, or the beginning of one; who lives in one of the `towns` is compared in any case.
    """
    typed = " ".join(words)
    if asked.odd or len(typed) < _SHORTEST_MISSPELT or sum(char.isalpha() for char in typed) < len(typed) / 2:
        return []
    halves = [holds("name", piece) for piece in pieces(f" {typed} ", edits + 1)]
    if not halves and not towns:
        return []
    places = [holds("place", f" {town} ") for town in towns]
    where = search_text.all_of([search_text.any_of(some) for some in (halves, places) if some])
    ranked = []
    for row in search_text.rows(session, where, "name", limit=_ALIKE):
        away, form = _away(typed, words, row.name, edits, parts=parts)
        if away <= edits:
            ranked.append((away, form[:1] != typed[:1], form, row.customer_id, row.name))
    best = sorted(ranked)[:FETCHED]
    return [(Match(customer_id, Why.NEAR, ""), name) for *_, customer_id, name in best]


def pieces(text: str, many: int) -> list[str]:
    """Cut a text into so many pieces with a letter between each two, none too short to be looked for."""
    size, rest = divmod(len(text) - (many - 1), many)
    if size < search_text.SHORTEST:
        return [text[: search_text.SHORTEST], text[-search_text.SHORTEST :]] if len(text) == 2 * search_text.SHORTEST else []
    found, start = [], 0
    for index in range(many):
        length = size + (index < rest)
        found.append(text[start : start + length])
        start += length + 1
    return found


def _away(typed: str, words: Sequence[str], name: str, edits: int, *, parts: bool) -> tuple[int, str]:
    """Return how many letters a name is away from what was typed, and in which of its forms."""
    nearest, form = edits + 1, ""
    for one in _forms(name):
        away = OSA.distance(typed, one, score_cutoff=edits)
        if away < nearest:
            nearest, form = away, one
    if parts and nearest > edits:
        for one in _forms(name):
            away = sum(_word_away(word, one.split(), edits) for word in words)
            if away < nearest:
                nearest, form = away, one
    return nearest, form


def _word_away(word: str, others: Sequence[str], edits: int) -> int:
    """Return how far the nearest of some words, or its beginning, is away from a typed one."""
    if len(word) < _SHORTEST_MISSPELT:
        return 0 if any(other.startswith(word) for other in others) else edits + 1
    return min(
        (int(OSA.distance(word, text, score_cutoff=edits)) for other in others for text in (other, other[: len(word)])), default=edits + 1
    )


def _begin_words(words: Iterable[str], text: str) -> bool:
    return all(f" {word}" in f" {text}" for word in words)


def _literally(asked: Asked, text: str) -> bool:
    """Whether signs that no name is written with are in the text as they were typed: `a%b` finds "a%b" alone."""
    return not asked.odd or asked.term.casefold() in text.casefold()
