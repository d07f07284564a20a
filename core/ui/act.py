"""One click is one transaction: permission, change and audit entry are written together or not at all."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session

from core import clock
from core.actor import Actor
from core.db import life, look_again, transaction
from core.errors import ChangedMeanwhile, DomainError, ResetMeanwhile
from core.models.audit import Operation
from core.ui import forms, identity, sign_in, two_at_once
from core.ui.text import message, t

log = logging.getLogger("guichet")

Result = TypeVar("Result")

_TAB = "_tab"
_DIGITS = 48


def operation(form: str, *shown: object) -> str:
    """Make the key of a click from what its form shows (ids, versions): the same click twice has the same key (S52).

    It begins with the demo's life it was drawn in: after a reset, ids and versions begin anew and would seem right.
    """
    tab = st.session_state.get(_TAB)
    if tab is None:
        tab = st.session_state[_TAB] = secrets.token_hex(8)
    return f"{life():x}:{hashlib.sha256(repr((tab, form, shown)).encode()).hexdigest()[:_DIGITS]}"


def act(
    verb: Callable[..., Result], *, form: str, operation: str, done: str | Callable[[Result], str] | None = None, **given: object
) -> bool:
    """Carry out a click and keep its answer for the form; True when it was done, or had been done before.

    Call it in an `on_click` callback, or under a spinner: no drawing command runs inside the transaction, so a rerun can't cut it in two.
    """
    look_again()  # Within a run, who is signed in may have changed since it began.
    signed_in = identity.current()
    if signed_in is None:
        forms.say(sign_in.FORM, t("You were signed out. Sign in again; nothing was changed."), good=False)
        return False
    try:
        with transaction() as session:
            _begin(session, signed_in.actor, operation)
            result = verb(session, signed_in.actor, **given)
    except _RepeatedError:
        return True
    except DomainError as refusal:
        forms.say(form, message(refusal), good=False, field=refusal.field)
        return False
    except StaleDataError:
        forms.say(form, t(ChangedMeanwhile.message, who="?", at=clock.local(clock.now()).strftime("%H:%M")), good=False)
        return False
    except Exception as error:  # noqa: BLE001 - whatever went wrong: nothing is written, and the reader is told
        forms.say(form, unexpected(error), good=False)
        return False
    two_at_once.saved(form)
    if done is not None:
        forms.say(form, done if isinstance(done, str) else done(result), good=True)
    return True


def unexpected(error: Exception) -> str:
    """Log an error under a reference, and return the sentence that names it."""
    reference = secrets.token_hex(2).upper()
    log.error("unexpected error, reference %s", reference, exc_info=error)
    return t("Something went wrong (ref. {reference}). Nothing was changed.", reference=reference)


class _RepeatedError(Exception):
    """This click was carried out already."""


def _begin(session: Session, actor: Actor, key: str) -> None:
    """Claim the key first: a repeat waits for the first one here, and then does nothing. Raises ResetMeanwhile."""
    if not key.startswith(f"{life():x}:"):
        raise ResetMeanwhile
    session.add(Operation(key=key, actor=actor.username, at=clock.real_now()))
    try:
        session.flush()
    except IntegrityError as error:
        raise _RepeatedError from error
