"""A file that is opened outside of one's queue: why, before anything of it is read (W18)."""

from typing import Any

import streamlit as st

from core import clock
from core.actor import Actor
from core.db import reading
from core.errors import N_, NotFound
from core.services import access
from core.services.access import WORDS_LENGTH, Because, Why
from core.services.look_words import WHY
from core.ui import forms, identity, navigation
from core.ui.act import act, operation
from core.ui.parts import card, draw, head, note
from core.ui.text import t

FORM = "door"
_BECAUSE = {
    Because.PROTECTED: N_("This file is protected: whoever opens it says why."),
    Because.LINK: N_("You came here by a link, or by a list that you filtered yourself: say why you open this file."),
}


def show(number: str) -> None:
    """Ask for the reason; the file opens once it is given."""
    signed_in = identity.current()
    asks = _asks(signed_in.actor, number) if signed_in else None
    if asks is None:
        return
    with st.container(width=520), card("door"):
        draw(head(t("Why do you open this file?"), 1, note=t("no. {number}", number=number)), note(t(_BECAUSE[asks])))
        chosen = why_fields(FORM)
        key = operation(FORM, number, clock.local(clock.real_now()).date())
        st.button(
            t("Open the file"), key="door:open", type="primary", icon=":material/lock_open:", on_click=_open, args=(number, key),
            disabled=not chosen,
        )  # fmt: skip
        forms.answer(FORM)
        draw(note(t("Your reason is kept with the file, and holds for today.")))
        st.page_link(navigation.page(navigation.DESK.path), label=t("Find a customer"), icon=":material/search:")


def why_fields(form: str) -> bool:
    """Draw the reasons, and room for words; return whether one is chosen: none is to begin with, since what is kept must be meant."""
    chosen = st.selectbox(
        t("Reason"), list(Why), format_func=lambda why: t(WHY[why]), index=None, placeholder=t("Choose"), key=f"{form}:why"
    )
    st.text_input(t("In your words (needed for another reason)"), key=f"{form}:words", max_chars=WORDS_LENGTH)
    forms.error(form, "words")
    return chosen is not None


def why_given(form: str) -> dict[str, Any]:
    """Return what was chosen and typed."""
    return {"why": st.session_state[f"{form}:why"], "words": st.session_state[f"{form}:words"]}


def _asks(actor: Actor, number: str) -> Because | None:
    with reading() as session:
        try:
            return access.door(session, actor, customer_no=number, offered=navigation.offered(number)).asks
        except NotFound:
            return None


def _open(number: str, key: str) -> None:
    act(access.give_reason, form=FORM, operation=key, customer_no=number, **why_given(FORM))
