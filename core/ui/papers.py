"""The documents card: what a customer handed in, how its check stands, and the way to hand in more."""

from functools import partial

import streamlit as st
from sqlmodel import Session

from core import clock
from core.actor import Actor, Permission
from core.db import reading
from core.documents.names import EXTENSIONS
from core.errors import N_
from core.models.document import DocumentKind, DocumentState
from core.services import documents
from core.services.documents import KIND_NAMES, DocumentRow
from core.ui import download, forms, gate, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Tone
from core.ui.text import day, moment, t

UPLOAD = "upload"
REVIEW = "review"
STATES: dict[DocumentState, tuple[str, Tone, str]] = {
    DocumentState.PENDING: (N_("To check"), "watch", "schedule"),
    DocumentState.ACCEPTED: (N_("Accepted"), "good", "check_circle"),
    DocumentState.REJECTED: (N_("Rejected"), "bad", "error"),
    DocumentState.PURGED: (N_("Copy erased"), "neutral", "delete"),
}
_FILES = "_upload_round"
_KIND = "account:upload:kind"


def show(visit: Visit) -> None:
    """Draw the documents, the newest first, and the place for new ones."""
    with reading() as session:
        rows = documents.of_customer(session, visit.actor, customer_id=visit.customer.id)
    with parts.card("documents", stretch=True):
        with parts.row("documents"):
            parts.heading(t("Documents"), 3, width="content")
        forms.answer(REVIEW)
        if not rows:
            parts.empty(t("No document was handed in."))
        for row in rows:
            _show_row(visit, row)
        if visit.actor.may(Permission.DOCUMENT_WRITE) and not visit.customer.read_only:
            new = (
                visit.customer.withdrawal_until is not None and visit.customer.withdrawal_until >= clock.today()
            )  # His papers come in now.
            with st.expander(t("Hand in a document"), icon=":material/upload_file:", expanded=new or forms.last(UPLOAD) is not None):
                _show_upload(visit)


def _show_row(visit: Visit, row: DocumentRow) -> None:
    with st.container(gap="xxsmall", key=f"billrow-document-{row.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(_kind(row.kind))
            parts.badge(*_badge(row))
            st.space("stretch")
            if row.held:
                _show_actions(visit, row)
        st.text(" · ".join(_facts(row)))


def _badge(row: DocumentRow) -> tuple[str, Tone, str]:
    word, tone, icon = STATES[row.state]
    return t(word), tone, icon


def _facts(row: DocumentRow) -> list[str]:
    """Tell when it came, who checked it, and when the copy goes."""
    told = [t("{name}, handed in on {at}", name=row.name, at=moment(row.uploaded_at)) if row.held else row.document_no]
    if row.reviewed_at:
        checked = {"on": clock.local(row.reviewed_at).date(), "who": row.reviewed_by}
        told.append(t("verified on {on} by {who}", **checked) if row.verified else t("rejected on {on} by {who}", **checked))
    if row.reason:
        told.append(t("reason: {reason}", reason=row.reason))
    if row.held and row.purge_on:
        told.append(t("the copy is erased on {purge_on} at the latest", purge_on=row.purge_on))
    return told


def _show_actions(visit: Visit, row: DocumentRow) -> None:
    may_check = visit.actor.may(Permission.DOCUMENT_REVIEW)
    if row.kind is not DocumentKind.ID_CARD or not visit.actor.staff or may_check:
        extension = next(name for name, mime in EXTENSIONS.items() if mime == row.mime)
        st.download_button(
            t("Open the file"), data=download.made(partial(_bytes, customer_id=visit.customer.id, document_id=row.id)),
            file_name=f"{row.document_no}.{extension}", mime=row.mime, key=f"account:document:{row.document_no}", type="tertiary",
            on_click="ignore",
        )  # fmt: skip
    if row.state is DocumentState.PENDING and may_check:
        if st.button(t("Check it"), key=f"account:review:{row.document_no}", type="tertiary", on_click=forms.forget):
            parts.drawer(t("Check a document"), partial(_show_review, row.id))
    elif row.state is not DocumentState.ACCEPTED and visit.actor.may(Permission.DOCUMENT_WRITE) and not visit.customer.read_only:
        with st.popover(t("Erase"), type="tertiary", key=f"account:withdraw:{row.document_no}"):
            st.text(t("The copy is erased at once."))
            key = operation("withdraw", row.id, row.version)
            st.button(t("Erase the copy"), key=f"account:withdraw:save:{row.document_no}", on_click=_withdraw, args=(row, key))


def _show_review(document_id: int) -> None:
    """Ask for the verdict on what is stored at this moment; the drawer closes once it is given."""
    answer = forms.last(REVIEW)
    if answer is not None and answer.good:
        st.rerun()
    visit = gate.visit(Permission.DOCUMENT_REVIEW)
    with reading() as session:
        rows = documents.of_customer(session, visit.actor, customer_id=visit.customer.id)
    row = next((one for one in rows if one.id == document_id), None)
    if row is None:
        st.rerun()
    forms.answer(REVIEW)
    parts.facts(
        [
            (t("Kind of document"), _kind(row.kind)),
            (t("Name of the file"), row.name),
            (t("Handed in"), t("{at} by {who}", at=moment(row.uploaded_at), who=row.uploaded_by)),
            (t("Copy erased"), day(row.purge_on) if row.purge_on else t("kept")),
        ]
    )
    if row.state is not DocumentState.PENDING:
        parts.badge(*_badge(row))
        st.text(" · ".join(_facts(row)))
        return
    st.button(
        t("Accept"),
        key="account:review:accept",
        type="primary",
        on_click=_review,
        args=(row, True, operation(REVIEW, row.id, row.version, True)),
    )
    st.text_input(t("Reason of a refusal (the customer reads it)"), key="account:review:reason", max_chars=documents.REASON_LENGTH)
    forms.error(REVIEW, "reason")
    st.button(t("Refuse"), key="account:review:reject", on_click=_review, args=(row, False, operation(REVIEW, row.id, row.version, False)))


def _show_upload(visit: Visit) -> None:
    kind = st.selectbox(t("Kind of document"), list(DocumentKind), format_func=_kind, key=_KIND)
    if kind is DocumentKind.ID_CARD:
        st.info(
            t(
                "Why: to check that the contract is yours. Black out your national number and your photo first: we do not need them. "
                "You can also show the card in a shop, or identify yourself with itsme. "
                "The copy is erased 30 days after it was accepted, at once if it is rejected."
            ),
            icon=":material/badge:",
        )
    with parts.uploader("account:upload"):
        files = st.file_uploader(
            t("PDF, JPEG or PNG, 10 MB at most, {count} files at a time", count=documents.MAX_FILES_AT_ONCE),
            accept_multiple_files=True, key=f"account:upload:files:{st.session_state.get(_FILES, 0)}",
        )  # fmt: skip
    forms.error(UPLOAD, "file")
    st.caption(t("By handing in a document you agree that we check it."))
    st.button(t("Hand in"), key="account:upload:save", disabled=not files, on_click=_add, args=(visit.customer.id,))
    forms.answer(UPLOAD)


def _add(customer_id: int) -> None:
    """Take in the files one by one; the first that is refused stops, and what came before it is kept."""
    gate.visit(Permission.DOCUMENT_WRITE)
    files = st.session_state.get(f"account:upload:files:{st.session_state.get(_FILES, 0)}") or []
    if len(files) > documents.MAX_FILES_AT_ONCE:
        forms.say(UPLOAD, t("At most {count} files at a time. Take some out.", count=documents.MAX_FILES_AT_ONCE), good=False, field="file")
        return
    for file in files:
        key = operation(UPLOAD, customer_id, file.file_id)
        given = {"customer_id": customer_id, "kind": st.session_state[_KIND], "name": file.name, "data": file.getvalue()}
        if not act(documents.add, form=UPLOAD, operation=key, **given):
            refusal = forms.last(UPLOAD)
            if refusal is not None and len(files) > 1:
                forms.say(UPLOAD, f"{file.name} : {refusal.text}", good=False, field=refusal.field)
            return
    st.session_state[_FILES] = st.session_state.get(_FILES, 0) + 1
    forms.say(UPLOAD, t("Received. We check it and write to the customer."), good=True)


def _review(row: DocumentRow, accept: bool, key: str) -> None:  # noqa: FBT001 - a callback's argument
    visit = gate.visit(Permission.DOCUMENT_REVIEW)
    act(
        documents.review, form=REVIEW, operation=key, customer_id=visit.customer.id, document_id=row.id,
        shown_version=row.version, accept=accept, reason=st.session_state.get("account:review:reason", ""),
        done=t("Accepted. The customer is told.") if accept else t("Rejected. The customer is told why."),
    )  # fmt: skip


def _withdraw(row: DocumentRow, key: str) -> None:
    visit = gate.visit(Permission.DOCUMENT_WRITE)
    act(
        documents.withdraw, form=REVIEW, operation=key, customer_id=visit.customer.id, document_id=row.id, shown_version=row.version,
        done=t("The copy is erased."),
    )  # fmt: skip


def _bytes(session: Session, actor: Actor, *, customer_id: int, document_id: int) -> bytes:
    """Return a document's bytes at the click."""
    return documents.open_(session, actor, customer_id=customer_id, document_id=document_id).data


def _kind(kind: DocumentKind) -> str:
    name = t(KIND_NAMES[kind])
    return name[:1].upper() + name[1:]
