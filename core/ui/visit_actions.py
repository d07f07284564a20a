"""What can be done with a visit besides moving it: its calendar file, its cancellation, its outcome."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from sqlmodel import Session

from core.actor import Actor, Permission
from core.models.appointment import AppointmentState
from core.services import appointments, calendar_files, visits
from core.services.changes import Subject
from core.services.visits import Visit
from core.ui import changes, download, forms, gate
from core.ui import visits as words
from core.ui.act import act, operation
from core.ui.text import t

FORM = "appointments"


def calendar_button(visit: Visit) -> None:
    """Draw the way to the calendar file, which is made at the click; that of a cancelled visit takes its entry out."""
    no = visit.appointment_no
    cancelled = visit.state is AppointmentState.CANCELLED
    st.download_button(
        t("Remove from the calendar (.ics)") if cancelled else t("Calendar (.ics)"), data=download.made(partial(_calendar, customer_id=visit.customer_id, appointment_no=no)), file_name=f"{no}.ics", mime=calendar_files.MIME,
        key=f"appointments:ics:{no}", icon=":material/event:", on_click="ignore",
    )  # fmt: skip


def cancel_button(file: gate.Visit, visit: Visit) -> None:
    """Draw the way to cancel a visit, which asks once more."""
    if file.customer.read_only or not visits.may_cancel(file.actor, visit):
        return
    no, key = visit.appointment_no, operation("cancel", visit.id, visit.version)
    with st.popover(t("Cancel the visit"), key=f"appointments:cancel:{no}"):
        st.markdown(t("The visit will not take place, and its half day is free for others."))
        if not visit.in_time:
            reason(f"appointments:cancel_reason:{no}")
        st.button(t("Cancel this visit"), key=f"appointments:cancel_confirm:{no}", on_click=_cancel, args=(visit, key))


def history_button(file: gate.Visit, visit: Visit) -> None:
    """Draw the way to what became of a visit."""
    changes.button(file, Subject.APPOINTMENT, visit.id)


def outcome_button(file: gate.Visit, visit: Visit) -> None:
    """Let the house note how a visit went that has begun."""
    if not visit.awaits_outcome or file.customer.read_only or not file.actor.may(Permission.APPOINTMENT_OVERRIDE):
        return
    no, key = visit.appointment_no, operation("outcome", visit.id, visit.version)
    with st.popover(t("Note the outcome"), key=f"appointments:outcome:{no}"):
        st.radio(t("How did it go?"), list(words.OUTCOMES), format_func=t, key=f"appointments:outcome_kind:{no}")
        st.button(t("Save"), key=f"appointments:outcome_save:{no}", on_click=_note_outcome, args=(visit, key))


def reason(key: str) -> None:
    """Ask why a visit changes so late."""
    with st.container(width=330):
        st.text_input(t("Reason for the late change"), key=key, max_chars=appointments.REASON_LENGTH)
        forms.error(FORM, "reason")


def change(verb: Callable[..., Visit], visit: Visit, key: str, done: Callable[[Visit], str]) -> bool:
    """Change a visit as it was shown."""
    shown = {"customer_id": visit.customer_id, "appointment_id": visit.id, "shown_version": visit.version}
    return act(verb, form=FORM, operation=key, done=done, **shown)


def _calendar(session: Session, actor: Actor, *, customer_id: int, appointment_no: str) -> bytes:
    """Make the calendar file at the click."""
    return calendar_files.of_visit(session, actor, customer_id=customer_id, appointment_no=appointment_no).data


def _cancel(visit: Visit, key: str) -> None:
    """Cancel a visit."""
    given = st.session_state.get(f"appointments:cancel_reason:{visit.appointment_no}")
    change(partial(appointments.cancel, reason=given), visit, key, words.cancelled)


def _note_outcome(visit: Visit, key: str) -> None:
    """Note how a visit went."""
    kind = st.session_state[f"appointments:outcome_kind:{visit.appointment_no}"]
    change(words.OUTCOMES[kind], visit, key, words.noted)
