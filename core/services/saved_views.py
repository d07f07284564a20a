"""Views: lists that were set up once. Those of the trade lie in seed/views.yaml; those of colleagues are mine, the team's, or locked."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import or_, select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import SYSTEM, Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.saved_view import Ownership, SavedView
from core.services import audit, list_filters, lists
from core.services.list_nouns import listing, listings
from core.services.lists import Query
from core.settings import ROOT
from core.text_rules import needed

FILE = ROOT / "seed" / "views.yaml"
NAME_LENGTH = 60
_SAVED = re.compile(r"v[1-9][0-9]{0,8}")
_FACTS = frozenset({"of", "name", "where", "sort", "columns"})


class NameTaken(DomainError):
    """Two views of one list would have the same name."""

    message = N_("A view “{name}” exists already. Choose another name.")
    field = "name"


class Locked(DomainError):
    """Only a team lead changes a locked view."""

    message = N_("This view is locked: a team lead changes it. Save it under another name.")


class OtherList(DomainError):
    """A view stays a view of its list."""

    message = N_("This view shows another list. Save this one under a name of its own.")


@dataclass(frozen=True)
class View:
    """A view of a list. `code` names it in the address; without an `id` it is the trade's own, and nobody changes it here."""

    code: str
    noun: str
    names: dict[str, str]
    ownership: Ownership
    query: Query
    id: int | None = None
    owner: str = ""
    version: int = 0

    def name(self, language: str) -> str:
        """Return what it is called."""
        return self.names.get(language) or self.names["en"]

    def may_change(self, actor: Actor) -> bool:
        """Whether somebody may change it or take it away."""
        if self.id is None:
            return False
        return self.owner == actor.username if self.ownership is Ownership.MINE else actor.may(_RIGHTS[self.ownership])


_RIGHTS = {Ownership.MINE: Permission.LIST_READ, Ownership.TEAM: Permission.VIEW_SHARE, Ownership.LOCKED: Permission.VIEW_LOCK}


def may_own(actor: Actor) -> list[Ownership]:
    """Return the kinds of view that somebody may save."""
    return [one for one, right in _RIGHTS.items() if actor.may(right)]


def of_list(session: Session, actor: Actor, *, noun: str) -> list[View]:
    """Return the views of a list that the actor sees: the trade's, the locked ones, the team's, his own, each in the order of names."""
    actor.require(Permission.LIST_READ)
    actor.require(listing(noun).right)
    seen = or_(col(SavedView.ownership) != Ownership.MINE, col(SavedView.owner) == actor.username)
    rows = session.execute(select(SavedView).where(col(SavedView.noun) == noun, seen).order_by(col(SavedView.name))).scalars()
    saved = [_view(row) for row in rows]
    order = (Ownership.LOCKED, Ownership.TEAM, Ownership.MINE)
    return [one for one in _trade().values() if one.noun == noun] + sorted(saved, key=lambda one: order.index(one.ownership))


def find(session: Session, actor: Actor, *, code: str) -> View:
    """Return a view by the code of its address. Raises NotFound, also for another's own."""
    actor.require(Permission.LIST_READ)
    if code in _trade():
        return _trade()[code]
    row = session.get(SavedView, int(code[1:])) if _SAVED.fullmatch(code) else None
    if row is None or (row.ownership is Ownership.MINE and row.owner != actor.username):
        raise NotFound
    return _view(row)


def save(session: Session, actor: Actor, *, name: str, ownership: Ownership, query: Query) -> str:
    """Save a list as a view and return its code. Raises NameTaken, Missing, and whatever the list refuses of the query."""
    actor.require(Permission.LIST_READ)
    actor.require(_RIGHTS[ownership])
    row = SavedView(noun=query.noun, name="", ownership=ownership, owner=actor.username, changed_at=clock.now())
    before = _write(session, actor, row, name, query)
    session.add(row)
    session.flush()
    _record(session, actor, row, "view:save", before)
    return f"v{row.id}"


def change(session: Session, actor: Actor, *, view_id: int, shown_version: int, query: Query, name: str) -> None:
    """Let a view show another filter, columns or order. Raises NotFound, Locked, ChangedMeanwhile, OtherList, NameTaken."""
    actor.require(Permission.LIST_READ)
    row = _held(session, actor, view_id, shown_version)
    before = _write(session, actor, row, name, query)
    row.changed_at = clock.now()
    session.flush()
    _record(session, actor, row, "view:change", before)


def remove(session: Session, actor: Actor, *, view_id: int, shown_version: int) -> None:
    """Take a view away. Raises NotFound, Locked, ChangedMeanwhile."""
    actor.require(Permission.LIST_READ)
    row = _held(session, actor, view_id, shown_version)
    facts = _told(row)
    session.delete(row)
    session.flush()
    audit.record(session, actor, action="view:remove", object_type="saved_view", object_id=view_id, before=facts)


def _held(session: Session, actor: Actor, view_id: int, shown_version: int) -> SavedView:
    row: SavedView | None = session.execute(select(SavedView).where(col(SavedView.id) == view_id).with_for_update()).scalar_one_or_none()
    if row is None:  # A view that was taken away leaves its trail alone.
        raise audit.changed_meanwhile(session, "saved_view", view_id)
    if row.ownership is Ownership.MINE and row.owner != actor.username:
        raise NotFound
    if not actor.may(_RIGHTS[row.ownership]):
        raise Locked
    audit.check_version(session, row, shown_version, "saved_view", view_id)
    return row


def _write(session: Session, actor: Actor, row: SavedView, name: str, query: Query) -> audit.Facts:
    """Put a query into a row, checked, and return what it held before."""
    before = _told(row)
    if query.noun != row.noun:
        raise OtherList
    lists.check(actor, query=query)
    name = needed(name, field="name", length=NAME_LENGTH)
    same = (col(SavedView.noun) == query.noun, col(SavedView.name) == name, col(SavedView.id) != (row.id or 0))
    mine = col(SavedView.ownership) == Ownership.MINE
    whose = (mine & (col(SavedView.owner) == row.owner)) if row.ownership is Ownership.MINE else ~mine
    with session.no_autoflush:
        if session.execute(select(col(SavedView.id)).where(*same, whose)).first():
            raise NameTaken(name=name)
    row.name, row.where_ = name, list_filters.write(query.where)
    row.columns, row.sort = ",".join(query.columns), query.sort
    return before


def _record(session: Session, actor: Actor, row: SavedView, action: str, before: audit.Facts) -> None:
    after = _told(row)
    changed = {name for name in after if before[name] != after[name]}
    audit.record(
        session, actor, action=action, object_type="saved_view", object_id=row.id,
        before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
    )  # fmt: skip


def _told(row: SavedView) -> audit.Facts:
    return {"list": row.noun, "name": row.name, "ownership": row.ownership, "where": row.where_, "columns": row.columns, "sort": row.sort}


def _view(row: SavedView) -> View:
    query = Query(row.noun, list_filters.read(row.where_), tuple(filter(None, row.columns.split(","))), row.sort)
    return View(f"v{row.id}", row.noun, {"en": row.name}, row.ownership, query, row.id, row.owner, row.version)


def _trade() -> dict[str, View]:
    return _read(FILE, FILE.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> dict[str, View]:
    return {code: _of_trade(code, facts) for code, facts in yaml.safe_load(path.read_text("utf-8")).items()}


def _of_trade(code: str, facts: dict[str, Any]) -> View:
    """Read a view of the file. Raises ValueError where it makes no sense."""
    try:
        query = Query(facts["of"], list_filters.read(facts.get("where", "")), tuple(facts.get("columns", ())), facts.get("sort", ""))
        lists.check(SYSTEM, query=query)
        if set(facts["name"]) != set(i18n.LANGUAGES) or set(facts) - _FACTS or query.noun not in listings():
            raise NotFound
    except (KeyError, DomainError) as error:
        msg = f"views.yaml: {code}: {error!r}"
        raise ValueError(msg) from error
    return View(code, query.noun, facts["name"], Ownership.LOCKED, query)
