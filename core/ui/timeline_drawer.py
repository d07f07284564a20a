"""The drawer of an entry of the story: all that is known of it, and what can be done with it."""

from functools import partial
from typing import Any

import streamlit as st

from core.actor import Permission
from core.db import reading, transaction
from core.errors import NotFound
from core.services import communications, interactions, notes, tasks, timeline
from core.services.communications import Message
from core.services.timeline import Entry, Kind
from core.ui import change_words, forms, gate, inbox, navigation, note_card, parts, talk_card, task_card
from core.ui import timeline_words as words
from core.ui.gate import Visit
from core.ui.parts import draw, fact_rows, head
from core.ui.text import day, md, moment, t

WIDTH = 560
_MESSAGE = "_story_message"


def open_named() -> None:
    """Open the entry that the address names; closed, the address no longer names it."""
    source, _, number = st.query_params.get("entry", "").partition("-")
    if number.isdecimal() and number.isascii() and source in timeline.sources():
        title = t(words.KINDS[timeline.sources()[source].kind][0])
        parts.drawer(title, partial(_body, source, int(number[:10])), width=WIDTH, closed=_closed)


def _closed() -> None:
    st.query_params.pop("entry", None)


def _body(source: str, number: int) -> None:
    visit = gate.visit(Permission.TIMELINE_READ)
    try:
        with reading() as session:
            entry = timeline.one(session, visit.actor, customer_id=visit.customer.id, source=source, entry_id=number)
    except NotFound:
        parts.empty(t("This is not told here any more."))
        return
    if entry.source == "message":
        _show_message(visit, entry.id)
        return
    told = words.tell(entry)
    draw(head(told.title, 3, marks=(told.mark,) if told.mark else (), end=told.amount))
    when = moment(entry.at) if entry.timed else day(entry.day)
    draw(fact_rows([(t("When"), when), *((label, value) for label, value in _facts(entry) if value)]))
    _more(visit, entry)


def _facts(entry: Entry) -> list[tuple[str, str]]:
    """Return what there is to tell of an entry besides its sentence."""
    facts = entry.facts
    if entry.source in {"payment", "returned"}:
        return [
            (t("Paid by"), facts["payer_name"] or ""),
            (t("Communication"), facts["communication"] or ""),
            (t("Sent back"), day(facts["returned_on"]) if facts["returned_on"] else ""),
        ]
    if entry.source == "order":
        return [
            (t("Order"), facts["order_no"]),
            (t("Line"), words.line(facts)),
            (t("What changes"), words.ordered(facts["items"])),
            (t("Takes effect"), day(facts["effective_on"])),
            (t("Ordered by"), facts["created_by"]),
        ]
    if entry.source == "call":
        return [
            (t("Colleague"), facts["agent"]),
            (t("Lasted"), t("{minutes} min", minutes=max(1, facts["seconds"] // 60)) if facts["seconds"] is not None else ""),
            (t("Handed over to"), words.target(facts["handed_to"]) if facts["handed_to"] else ""),
        ]
    if entry.source == "change":
        changed = change_words.changed(facts["before"], facts["after"])
        return [(t("Line"), words.line(facts)), (t("Changed by"), facts["actor"]), (t("Why"), facts["reason"] or ""), *changed]
    told = words.tell(entry)
    return [(t("Detail"), told.detail)]


def _more(visit: Visit, entry: Entry) -> None:
    """Draw what only some kinds have: the words of a talk, of a note, and what can be done with a task."""
    mine: dict[str, Any] = {"customer_id": visit.customer.id}
    if entry.source == "call":
        st.text(entry.facts["note"])
        with reading() as session:
            answers = interactions.answers_of(session, visit.actor, visit.customer.id, entry.id)
        if answers:
            said = {fact: " → ".join(t("right") if right else t("wrong") for right in given) for fact, given in answers.items()}
            draw(fact_rows([(talk_card.fact_word(fact), words) for fact, words in said.items()]))
    elif entry.source == "note":
        st.text(entry.facts["text"])
        with reading() as session:
            earlier = notes.wordings(session, visit.actor, note_id=entry.id, **mine)
            row = notes.one(session, visit.actor, note_id=entry.id, **mine) if entry.facts["until_at"] is None else None
        for one in earlier:
            st.caption(t("Until {at}, {who} had written:", at=moment(one.until_at), who=md(one.until_by)))
            st.text(one.text)
        forms.answer(note_card.FORM)
        if row:
            note_card.show_actions(visit, row, place="drawer")
    elif entry.kind is Kind.TASK:
        with reading() as session:
            task = tasks.one(session, visit.actor, task_id=entry.id, **mine)
        forms.answer(task_card.FORM)
        task_card.show_actions(visit.actor, task, place="drawer")
    elif entry.kind in {Kind.PAYMENT, Kind.FOLLOW_UP}:
        query = navigation.customer_query(visit.customer.customer_no)
        st.page_link(navigation.page("bills"), label=t("Open the bills"), icon=":material/receipt_long:", query_params=query)


def _show_message(visit: Visit, message_id: int) -> None:
    """Draw a message as it was sent; the look at it is written down once, however often the drawer is drawn."""
    opened = st.session_state.get(_MESSAGE)
    if not isinstance(opened, Message) or opened.id != message_id:
        with transaction() as session:
            opened = communications.open_message(session, visit.actor, customer_id=visit.customer.id, message_id=message_id)
        st.session_state[_MESSAGE] = opened
    inbox.show_message(opened)
