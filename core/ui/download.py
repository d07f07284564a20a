"""Files that are made at the click. Streamlit asks for them outside of any run, on a thread that knows nobody."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from sqlmodel import Session

from core.actor import Actor
from core.db import transaction
from core.services import sessions
from core.ui.identity import SESSION_ID


def made(verb: Callable[[Session, Actor], bytes]) -> Callable[[], bytes]:
    """Return what makes a file for whoever this page is drawn for, as long as his session lives: who he is, is read again at the click."""
    return partial(_make, verb, st.session_state.get(SESSION_ID, 0))


def _make(verb: Callable[[Session, Actor], bytes], session_id: int) -> bytes:
    with transaction() as session:
        return verb(session, sessions.holder(session, session_id))
