"""The talk that goes on: its timer, who is on the line, and how it ends; drawn above the story of the customer whom it is with.

What a field was refused for goes as soon as something else stands in it.
"""

from typing import Any

import streamlit as st

from core import i18n
from core.actor import Permission
from core.catalogue import contact_reasons
from core.db import reading
from core.errors import N_
from core.models.interaction import CallerFact, InteractionChannel, Team
from core.services import interactions
from core.services.interactions import ENOUGH, HEARD_LENGTH, OpenTalk
from core.services.tasks import Target
from core.ui import forms, navigation, parts, task_card
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import draw
from core.ui.text import first_large, language, t, tn

FORM = "desk:talk"
_FACTS = {
    CallerFact.CUSTOMER_NO: (N_("Customer no."), N_("8 digits")),
    CallerFact.BIRTH_DATE: (N_("Birth date"), N_("as it is said: 7/3/1991")),
    CallerFact.BILL_AMOUNT: (N_("Amount of the last bill"), N_("to the cent: 42,00")),
    CallerFact.POSTCODE: (N_("Postcode of the address"), N_("4 digits")),
}
_FACT, _HEARD, _WORDS, _REASON = "desk:talk:fact", "desk:talk:heard", "desk:talk:words", "desk:talk:reason"
_HAND, _TO, _LEFT = "desk:talk:hand", "desk:talk:to", "desk:talk:left"
_ROUND, _BEGUN = "_talk_round", "_talk_begun"


def fact_word(fact: CallerFact) -> str:
    """Write what a caller is asked for."""
    return t(_FACTS[fact][0])


def show(visit: Visit) -> None:
    """Draw the card of the reader's talk with this customer; nothing where there is none."""
    if not visit.actor.may(Permission.INTERACTION_WRITE):
        return
    with reading() as session:
        talk = interactions.current(session, visit.actor)
    if talk is None or talk.customer_id != visit.customer.id:
        forms.answer(FORM)
        return
    with parts.card("talk"):
        with parts.row("talk"):
            parts.heading(t("On the line"), 3, width="content")
            draw(timer(talk.seconds))
            st.space("stretch")
            right = sum(talk.checks.values())
            if talk.known:
                parts.badge(t("Caller known"), "good", "verified_user")
            else:
                parts.badge(t("{right} of {enough} answers", right=right, enough=ENOUGH), "watch", "shield_question")
        st.caption(t("Since {time}", time=i18n.clock_time(talk.at)))
        _check(visit, talk)
        _end(visit, talk)


def timer(seconds: int) -> str:
    """Make a timer that the style sheet keeps running: no run of the page is spent on it."""
    return f'<span class="g-timer" aria-hidden="true" style="--m-late:-{seconds}s;--s-late:-{seconds % 60}s"></span>'


def _check(visit: Visit, talk: OpenTalk) -> None:
    """Ask for two facts; the server says only whether an answer is right."""
    facts = [fact for fact in CallerFact if fact is not CallerFact.BIRTH_DATE or visit.customer.born]
    open_facts = [fact for fact in facts if not talk.checks.get(fact)] or facts
    asked = {fact: right for fact, right in talk.checks.items() if fact in facts}
    if asked:
        draw(parts.fact_rows([(fact_word(fact), t("right") if right else t("wrong")) for fact, right in asked.items()]))
    if talk.known:
        forms.error(FORM, "heard")
        return
    number = st.session_state.get(_ROUND, 0)
    fact = st.selectbox(t("Ask for"), open_facts, format_func=fact_word, key=f"{_FACT}:{talk.id}:{number}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        heard = st.text_input(
            t("What the caller says"), key=f"{_HEARD}:{talk.id}:{number}", max_chars=HEARD_LENGTH, placeholder=t(_FACTS[fact][1])
        )
        key = operation(FORM, "check", talk.id, number)
        st.button(t("Check"), key="desk:talk:check", on_click=_ask, args=(talk, number, fact, key))
    forms.error(FORM, "heard", heard)


def _end(visit: Visit, talk: OpenTalk) -> None:
    """Ask what it was about, how it went, and who goes on with it."""
    reasons = contact_reasons()
    reason = st.selectbox(
        t("What was it about?"), list(reasons), index=None, key=f"{_REASON}:{talk.id}",
        format_func=lambda code: first_large(reasons[code][language()]), placeholder=t("Choose"),  # type: ignore[index]
    )  # fmt: skip
    forms.error(FORM, "reason", reason)
    words = st.text_area(t("In a few words (optional)"), key=f"{_WORDS}:{talk.id}", height=68, max_chars=interactions.WORDS_LENGTH)
    forms.error(FORM, "words", words)
    if st.toggle(t("A colleague goes on with it"), key=f"{_HAND}:{talk.id}"):
        task_card.choose(f"{_TO}:{talk.id}", visit.actor, current=Target(team=Team.BILLING))
        forms.error(FORM, "owner")
        left = st.text_input(t("What is left to do"), key=f"{_LEFT}:{talk.id}", max_chars=200)
        forms.error(FORM, "left", left)
    forms.answer(FORM)
    st.button(
        t("End the talk"), key="desk:talk:end", type="primary", icon=":material/call_end:", on_click=_save,
        args=(talk, operation(FORM, "end", talk.id, talk.version)),
    )  # fmt: skip


def begin_button(visit: Visit, *, label: str) -> None:
    """Draw the one click that opens a talk."""
    key = operation(FORM, visit.customer.id, st.session_state.get(_ROUND, 0))
    st.button(label, key="desk:talk:begin", type="tertiary", icon=":material/call:", on_click=_begin, args=(visit.customer.id, key))


def follow(visit: Visit) -> None:
    """Go to the story once a talk was opened on another tab."""
    if st.session_state.pop(_BEGUN, None) == visit.customer.id:
        st.switch_page(navigation.page("timeline"), query_params=navigation.customer_query(visit.customer.customer_no))


def _begin(customer_id: int, key: str) -> None:
    if act(interactions.begin, form=FORM, operation=key, customer_id=customer_id, channel=InteractionChannel.PHONE):
        st.session_state[_BEGUN] = customer_id
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _ask(talk: OpenTalk, number: int, fact: CallerFact, key: str) -> None:
    heard = st.session_state.get(f"{_HEARD}:{talk.id}:{number}", "")

    answers: list[bool] = []

    def told(right: bool) -> str:  # noqa: FBT001 - the answer
        answers.append(right)
        return t("{fact}: right.", fact=fact_word(fact)) if right else t("{fact}: wrong.", fact=fact_word(fact))

    if act(interactions.check, form=FORM, operation=operation(key, heard), done=told, customer_id=talk.customer_id, fact=fact, heard=heard):
        st.session_state[_ROUND] = number + 1
        said = forms.last(FORM)
        if said and not all(answers):
            forms.say(FORM, said.text, good=False, field="heard")


def _save(talk: OpenTalk, key: str) -> None:
    state: Any = st.session_state
    handed = bool(state.get(f"{_HAND}:{talk.id}"))
    given = {
        "reason": state.get(f"{_REASON}:{talk.id}") or "",
        "words": state.get(f"{_WORDS}:{talk.id}", ""),
        "hand_to": task_card.chosen(f"{_TO}:{talk.id}") if handed else None,
        "left": state.get(f"{_LEFT}:{talk.id}", "") if handed else "",
    }
    minutes = max(1, talk.seconds // 60)
    done = tn("The talk is written down: {count} minute.", "The talk is written down: {count} minutes.", minutes)
    shown = {"customer_id": talk.customer_id, "talk_id": talk.id, "shown_version": talk.version}
    if act(interactions.end, form=FORM, operation=key, done=done, **shown, **given):
        state[_ROUND] = state.get(_ROUND, 0) + 1
