"""What the address of a list says: which list, which view, the whole filter, columns, order and page. A link shows a colleague the same."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st
from sqlmodel import Session

from core.actor import Actor
from core.errors import DomainError
from core.services import list_filters, saved_views
from core.services.list_columns import Listing
from core.services.list_filters import Group
from core.services.list_nouns import listing, listings_of
from core.services.lists import Query
from core.services.saved_views import View
from core.ui import forms

NAMES = ("of", "view", "where", "columns", "sort", "after", "before")
_DIGITS = 10


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `refused` says why nothing can be shown. `view` is the view it began with."""

    listing: Listing
    query: Query
    view: View | None = None
    refused: DomainError | None = None

    @property
    def changed(self) -> bool:
        """Whether the list differs from the view that it began with."""
        return self.view is not None and plain(self.query) != plain(self.view.query)

    @property
    def daily(self) -> bool:
        """Whether this is a list of the day's work as the trade set it up, however it is sorted; a filter of one's own is none."""
        return self.view is not None and self.view.id is None and self.query.where == self.view.query.where


class OddPage(list_filters.Unreadable):
    """The page in the address is none."""


def read(session: Session, actor: Actor) -> Asked:
    """Read the address. What it can't mean is refused in a sentence, and never left out."""
    known = listings_of(actor)
    first = next(iter(known.values()))
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    try:
        view = _view(session, actor, said)
        one = listing(said["of"]) if "of" in said else listing(view.noun) if view else first
        actor.require(one.right)
    except DomainError as refusal:
        return Asked(first, Query(first.noun), None, refusal)
    began = view.query if view and view.noun == one.noun else Query(one.noun)
    try:
        query = replace(
            began,
            where=list_filters.read(said["where"]) if "where" in said else began.where,
            columns=tuple(said["columns"].split(",")) if "columns" in said else began.columns,
            sort=said.get("sort", began.sort),
            after=_row(said, "after"),
            before=_row(said, "before"),
        )
    except DomainError as refusal:
        return Asked(one, Query(one.noun), view, refusal)
    return Asked(one, query, view)


def plain(query: Query) -> Query:
    """Return a query at its first page, with the list's own order left out."""
    return replace(query, after=None, before=None)


def query_params(query: Query, view: str = "") -> dict[str, str]:
    """Return the address of a list: with `view` alone it follows the view as it changes; else everything is in it."""
    where = list_filters.write(query.where)
    told = {
        "of": query.noun, "view": view, "where": where, "columns": ",".join(query.columns), "sort": query.sort,
        "after": str(query.after or ""), "before": str(query.before or ""),
    }  # fmt: skip
    return {name: text for name, text in told.items() if text}


def go(query: Query, view: View | None = None) -> None:
    """Put a query into the address: the run that follows shows it. A filter that was taken out stays out, also within a view."""
    forms.forget()
    rest = {name: st.query_params[name] for name in st.query_params if name not in NAMES}
    told = query_params(query, view.code if view else "")
    if view is not None and not query.where.parts and view.query.where.parts:
        told["where"] = ""
    st.query_params.from_dict(rest | told)


def filtered(query: Query, where: Group) -> Query:
    """Return a query with another filter, at its first page."""
    return replace(query, where=where, after=None, before=None)


def _view(session: Session, actor: Actor, said: Mapping[str, str]) -> View | None:
    """Return the view that the address names. Another's own is no mistake where the address says all of it."""
    if "view" not in said:
        return None
    try:
        return saved_views.find(session, actor, code=said["view"])
    except DomainError:
        if "of" in said and len(said) > 2:  # noqa: PLR2004 - more than the list and the view
            return None
        raise


def _row(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= list_filters.LARGEST):
        raise OddPage(text=text[:30])
    return int(text)
