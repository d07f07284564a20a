"""The notes of a file, pinned ones first, the way to write one, and the tags above the file."""

from functools import partial
from typing import Any

import streamlit as st

from core import clock
from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.note import NoteSource
from core.services import notes, tags
from core.services.notes import NoteRow
from core.services.tags import TagRow
from core.ui import forms, parts, two_at_once
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.text import day, md, moment, t
from core.ui.two_at_once import Field

FORM, TAG_FORM = "desk:note", "desk:tag"
SOURCES = {NoteSource.AGENT: N_("a colleague"), NoteSource.SYSTEM: N_("the system"), NoteSource.RULE: N_("a rule")}
_SHOWN = 3
"""How many stand below the pinned ones; the story holds them all."""
_ROUND, _TAG_ROUND = "_note_round", "_tag_round"


def show(visit: Visit) -> None:
    """Draw the card: tags, the form, the notes."""
    customer_id, writes = visit.customer.id, visit.actor.may(Permission.NOTE_WRITE)
    with reading() as session:
        found = notes.of_customer(session, visit.actor, customer_id=customer_id, limit=_SHOWN)
        standing = tags.of_customer(session, visit.actor, customer_id=customer_id)
    with parts.card("notes"):
        with parts.row("notes"):
            parts.heading(t("Notes"), 3, width="content")
            st.caption(t("for the house alone"), width="content")
            st.space("stretch")
            if writes:
                _new_tag(customer_id)
        if standing:
            with st.container(horizontal=True, gap="xsmall", key="story-tags"):
                for tag in standing:
                    _show_tag(visit, tag)
        forms.answer(TAG_FORM)
        if writes:
            _compose(customer_id)
        forms.answer(FORM)
        if not found:
            parts.empty(t("No note yet."))
        for row in found:
            _show_note(visit, row)


def _compose(customer_id: int) -> None:
    """Draw the form of a new note; saved, it is empty again."""
    number = st.session_state.get(_ROUND, 0)
    with st.container(key="desk:note", gap="xxsmall"):
        text = f"desk:note:text:{customer_id}:{number}"
        st.text_area(
            t("New note"), key=text, max_chars=notes.TEXT_LENGTH, height=68, label_visibility="collapsed",
            placeholder=t("What a colleague must know tomorrow"),
        )  # fmt: skip
        forms.error(FORM, "note")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.checkbox(t("Pin it"), key=f"desk:note:pin:{customer_id}:{number}")
            st.space("stretch")
            key = operation(FORM, customer_id, number)
            with st.container(key="desk:note:save", width="content"):
                st.button(t("Save the note"), key=f"desk:note:save:{customer_id}:{number}", on_click=_save, args=(customer_id, number, key))


def _show_note(visit: Visit, row: NoteRow) -> None:
    with st.container(gap="xxsmall", key=f"billrow-note-{row.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if row.pinned:
                parts.badge(t("Pinned note"), "info", "keep")
            st.caption(" · ".join(map(md, _by(row))), width="content")
        st.text(row.text)
        show_actions(visit, row, place="card")


def _by(row: NoteRow) -> list[str]:
    told = [row.author, moment(row.created_at, "short")]
    told += [t("by {who}", who=t(SOURCES[row.source]))] if row.source is not NoteSource.AGENT else []
    return [*told, *([t("reworded")] if row.reworded else [])]


def show_actions(visit: Visit, row: NoteRow, *, place: str) -> None:
    """Draw what can be done with a note: pin it, and for its author, within a day, reword or withdraw it."""
    if not visit.actor.may(Permission.NOTE_WRITE):
        return
    shown: dict[str, Any] = {"customer_id": visit.customer.id, "note_id": row.id, "shown_version": row.version}
    key = operation(FORM, place, row.id, row.version)
    with st.container(horizontal=True, gap="small"):
        label = t("Take the pin out") if row.pinned else t("Pin it")
        st.button(label, key=f"desk:note:keep:{place}:{row.id}", type="tertiary", on_click=_pin, args=(not row.pinned, shown, f"{key}p"))
        if row.editable:
            with st.popover(t("Reword"), type="tertiary", key=f"desk:note:edit:{place}:{row.id}"):
                words = f"desk:note:words:{place}:{row.first_id}"
                two_at_once.fill(words, row.first_id, {words: Field(t("New wording"), row.text)})
                st.text_area(t("New wording"), key=words, max_chars=notes.TEXT_LENGTH)
                two_at_once.show(words)
                two_at_once.theirs(words)
                st.caption(t("The earlier wording stays readable in the history."))
                with st.container(horizontal=True, gap="small"):
                    st.button(t("Save"), key=f"desk:note:reword:{place}:{row.id}", on_click=_reword, args=(words, shown, f"{key}r"))
                    st.button(
                        t("Withdraw the note"), key=f"desk:note:withdraw:{place}:{row.id}", on_click=_withdraw, args=(shown, f"{key}w"),
                    )  # fmt: skip


def _new_tag(customer_id: int) -> None:
    number = st.session_state.get(_TAG_ROUND, 0)
    with st.popover(t("Add a tag"), icon=":material/sell:", type="tertiary", key="desk:tag"):
        st.text_input(t("Word above the file"), key=f"desk:tag:word:{customer_id}:{number}", max_chars=tags.WORD_LENGTH)
        forms.error(TAG_FORM, "tag")
        st.date_input(
            t("Until (optional)"), value=None, min_value=clock.today(), key=f"desk:tag:until:{customer_id}:{number}", format="DD/MM/YYYY"
        )
        forms.error(TAG_FORM, "tag_until")
        key = operation(TAG_FORM, customer_id, number)
        st.button(t("Put it above the file"), key="desk:tag:save", on_click=_put, args=(customer_id, number, key))


def _show_tag(visit: Visit, tag: TagRow) -> None:
    told = t("{word} · until {last}", word=tag.word, last=day(tag.last, "short")) if tag.last else tag.word
    with st.popover(md(told), icon=":material/sell:", key=f"desk:tag:{tag.id}"):
        st.text(t("By {who} on {on}", who=tag.owner, on=clock.local(tag.since_at).date()))
        if visit.actor.may(Permission.NOTE_WRITE):
            shown = {"customer_id": visit.customer.id, "tag_id": tag.id, "shown_version": tag.version}
            key = operation(TAG_FORM, tag.id, tag.version)
            st.button(t("Take it off"), key=f"desk:tag:end:{tag.id}", on_click=_take_off, args=(shown, key))


def _save(customer_id: int, number: int, key: str) -> None:
    given = {
        "text": st.session_state.get(f"desk:note:text:{customer_id}:{number}", ""),
        "pinned": bool(st.session_state.get(f"desk:note:pin:{customer_id}:{number}")),
    }
    if act(notes.add, form=FORM, operation=key, customer_id=customer_id, **given):
        st.session_state[_ROUND] = number + 1


def _pin(pinned: bool, shown: dict[str, Any], key: str) -> None:  # noqa: FBT001 - a callback's argument
    act(partial(notes.pin, pinned=pinned), form=FORM, operation=key, **shown)


def _reword(words: str, shown: dict[str, Any], key: str) -> None:
    text = st.session_state.get(words, "")
    done = t("The note has a new wording.")
    if act(partial(notes.reword, text=text), form=FORM, operation=operation(key, text), done=done, **shown):
        two_at_once.saved(words)


def _withdraw(shown: dict[str, Any], key: str) -> None:
    act(notes.withdraw, form=FORM, operation=key, done=t("The note is withdrawn; the history keeps it."), **shown)


def _put(customer_id: int, number: int, key: str) -> None:
    given = {
        "word": st.session_state.get(f"desk:tag:word:{customer_id}:{number}", ""),
        "last": st.session_state.get(f"desk:tag:until:{customer_id}:{number}"),
    }
    if act(tags.add, form=TAG_FORM, operation=operation(key, *given.values()), customer_id=customer_id, **given):
        st.session_state[_TAG_ROUND] = number + 1


def _take_off(shown: dict[str, Any], key: str) -> None:
    act(tags.end, form=TAG_FORM, operation=key, done=t("The tag is taken off."), **shown)
