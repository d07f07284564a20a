"""Files that are made at the click. Streamlit asks for them outside of any run, on a thread that knows nobody."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import streamlit as st
from sqlmodel import Session

from core.actor import Actor
from core.db import reading, transaction
from core.services import sessions
from core.ui.identity import SESSION_ID

Result = TypeVar("Result")


def made(verb: Callable[[Session, Actor], bytes]) -> Callable[[], bytes]:
    """Return what makes a file for whoever this page is drawn for, as long as his session lives: who he is, is read again at the click."""
    return partial(_make, verb, st.session_state.get(SESSION_ID, 0))


def _make(verb: Callable[[Session, Actor], bytes], session_id: int) -> bytes:
    with transaction() as session:
        return verb(session, sessions.holder(session, session_id))


def read_first(
    read: Callable[[Session, Actor], tuple[bytes, Result]], note: Callable[[Session, Actor, Result], None]
) -> Callable[[], bytes]:
    """Return what makes a large file: it only reads, so that nobody waits for it, and `note` writes down what was taken before it is handed out."""
    return partial(_read_first, read, note, st.session_state.get(SESSION_ID, 0))


def _read_first(
    read: Callable[[Session, Actor], tuple[bytes, Result]], note: Callable[[Session, Actor, Result], None], session_id: int
) -> bytes:
    with reading() as session:
        made, told = read(session, sessions.holder(session, session_id))
    with transaction() as session:
        note(session, sessions.holder(session, session_id), told)
    return made
