"""Who may see this page, and whose file is open. Each page opens its own gate before it reads anything.

Streamlit runs a file of `pages/` without the shell when it is the first thing a fresh process is asked for: so the shell
can't be the lock. Where it did not run in this run, the gate hands the visitor to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from core import clock
from core.actor import Actor, Permission
from core.db import life, reading
from core.errors import DomainError, NotFound, NotPermitted
from core.services import access, customers
from core.services.customers import CustomerHead
from core.ui import forms, identity, navigation, sign_in
from core.ui.text import message, t


@dataclass(frozen=True)
class Visit:
    """Somebody at an open file."""

    actor: Actor
    customer: CustomerHead


_LET_IN = "_let_in"
_shown: ContextVar["Visit | None"] = ContextVar("visit", default=None)
_in_shell: ContextVar[bool] = ContextVar("in_shell", default=False)


@contextmanager
def opened(visit: Visit | None) -> Iterator[None]:
    """Run a page inside the shell, on the file the shell found in this run."""
    shell, shown = _in_shell.set(True), _shown.set(visit)
    try:
        yield
    finally:
        _in_shell.reset(shell)
        _shown.reset(shown)


def enter(permission: Permission) -> Visit:
    """Let the visitor of a tab in, or stop here: the first statement of each tab."""
    _through_the_shell()
    visit = _shown.get()
    if visit is None:
        _refuse(NotFound())
    _check(visit.actor, permission, visit.customer.id)
    return visit


def enter_desk(permission: Permission) -> Actor:
    """Let somebody of the house in to a page that is about no single customer, or stop here."""
    _through_the_shell()
    signed_in = identity.current()
    if signed_in is None:
        _refuse(NotPermitted())
    if not signed_in.actor.staff:
        st.warning(t("This page is for our staff. All that is yours is on your own pages."), icon=":material/lock:")
        st.page_link(navigation.page("home"), label=t("Home"))
        st.stop()
    _check(signed_in.actor, permission, None)
    return signed_in.actor


def visit(permission: Permission) -> Visit:
    """Check again, from the database: for callbacks, fragments and dialogs, which outlive the run that drew them."""
    signed_in = identity.current()
    if signed_in is None:
        _to_the_sign_in()
    found = find(signed_in.actor)
    if found is None:
        _refuse(NotFound())
    _check(found.actor, permission, found.customer.id)
    return found


def find(actor: Actor) -> Visit | None:
    """Return the file this address names: a customer's own, or for the house the one in `?customer=`."""
    number = None if actor.customer_id is not None else st.query_params.get("customer", "")
    if number == "" or not actor.may(Permission.CUSTOMER_READ):
        return None
    if number is not None and not _let_in(actor, number):
        return None
    with reading() as session:
        try:
            head = customers.head(session, actor, customer_no=number)
        except NotFound:
            return None
    if number is not None and (head.vip or head.colleague) and not _reason_known(number) and not _let_in(actor, number, anew=True):
        return None  # It was marked while it lay open here.
    return Visit(actor, head)


def closed(actor: Actor) -> str | None:
    """Return the number of the file of this address where it stays closed until a reason is given; nothing of it was read."""
    number = st.query_params.get("customer", "")
    if number == "" or not actor.staff or not actor.may(Permission.CUSTOMER_READ):
        return None
    with reading() as session:
        try:
            found = access.door(session, actor, customer_no=number, offered=navigation.offered(number))
        except NotFound:
            return None
    return number if found.asks else None


def _let_in(actor: Actor, customer_no: str, *, anew: bool = False) -> bool:
    """Whether a file may be opened without a reason, or one was given today; asked of the database once a day for each file, or `anew`."""
    known, now = st.session_state.setdefault(_LET_IN, {}), (actor.username, clock.local(clock.real_now()).date(), life())
    if not anew and known.get(customer_no, (None,))[0] == now:
        return True
    known.pop(customer_no, None)
    with reading() as session:
        try:
            found = access.door(session, actor, customer_no=customer_no, offered=navigation.offered(customer_no))
        except NotFound:
            return False
    if found.asks is None:
        known[customer_no] = (now, found.given)
    return found.asks is None


def _reason_known(customer_no: str) -> bool:
    """Whether a file was let in because a reason was given, and not without a word."""
    return bool(st.session_state[_LET_IN][customer_no][1])


def _through_the_shell() -> None:
    if not _in_shell.get():
        st.navigation(navigation.pages(lambda: None), position="hidden")
        st.rerun()


def _to_the_sign_in() -> NoReturn:
    """Leave what is open for the sign-in form: the session ended under a drawer, by its time or from elsewhere."""
    forms.say(sign_in.FORM, t("You were signed out. Sign in again; nothing was changed."), good=False)
    st.rerun()


def _check(actor: Actor, permission: Permission, customer_id: int | None) -> None:
    try:
        actor.require(permission, customer_id)
    except DomainError as refusal:
        _refuse(refusal)


def _refuse(refusal: DomainError) -> NoReturn:
    st.warning(message(refusal), icon=":material/lock:")
    st.page_link(navigation.page(navigation.DESK.path), label=t("Find a customer"))
    st.stop()
