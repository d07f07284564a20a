"""What a reader chose for himself."""

import streamlit as st

from core.actor import Actor
from core.db import transaction
from core.services import users
from core.ui.text import speak


def choose_language(actor: Actor) -> None:
    """Show the screen in another language from now on, here and at the next sign-in."""
    chosen = st.session_state["prefs:language"]
    speak(chosen)
    if actor.watching:
        return  # Nothing is written from a customer's view, not even of oneself.
    with transaction() as session:
        users.choose_language(session, actor, language=chosen)


def choose_keys(actor: Actor) -> None:
    """Let single keys work, or rest, from the next click on."""
    with transaction() as session:
        users.choose_single_keys(session, actor, on=st.session_state["prefs:keys"])
