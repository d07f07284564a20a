"""A request that needs a second person: who asks, for whom, what and why; and what can be done with it."""

import streamlit as st

from core.actor import Actor
from core.db import reading
from core.errors import N_, DomainError
from core.models.approval import ApprovalKind, ApprovalState
from core.services import approvals, corrections, refunds
from core.services.approvals import NOTE_LENGTH, Request
from core.services.corrections import Target
from core.services.references import group_iban
from core.ui import credit_form, forms, navigation
from core.ui.act import act, operation
from core.ui.parts import Mark, card, draw, fact_rows, head
from core.ui.text import euro, md, message, moment, t

FORM = "approvals"
_TITLES = {ApprovalKind.CREDIT: N_("Credit"), ApprovalKind.REFUND: N_("Refund to a typed account")}
_STATES = {
    ApprovalState.PENDING: (N_("Waits"), "watch", "hourglass_top"),
    ApprovalState.APPROVED: (N_("Approved"), "good", "check_circle"),
    ApprovalState.REFUSED: (N_("Refused"), "bad", "cancel"),
    ApprovalState.WITHDRAWN: (N_("Withdrawn"), "neutral", "undo"),
    ApprovalState.EXPIRED: (N_("Expired"), "neutral", "history"),
}


def show(actor: Actor, one: Request) -> None:
    """Draw a request that waits, and what it would do as things stand now."""
    with card(f"approval-{one.id}"):
        _facts(one)
        if isinstance(one.wish, corrections.Wish):
            _show_credit(actor, one, one.wish)
        with st.container(key=f"approvals:file:{one.id}", width="content"):
            st.page_link(
                navigation.page("bills"), label=t("Open the bills of {name}", name=md(one.customer_name)), icon=":material/receipt_long:",
                query_params=navigation.customer_query(one.customer_no),
            )  # fmt: skip
        last = forms.last(_form(one))
        if last and last.field != "note":  # Whatever field of its form a refusal names, here it is about the whole request.
            st.error(md(last.text), icon=":material/error:")
        key = operation(FORM, one.id, one.version)
        if one.decides:
            st.text_input(t("Note"), key=f"approvals:note:{one.id}", max_chars=NOTE_LENGTH, placeholder=t("needed where you refuse"))
            forms.error(_form(one), "note")
            with st.container(horizontal=True, gap="small"):
                st.button(
                    t("Approve {amount}", amount=euro(one.amount_cents)), key=f"approvals:approve:{one.id}", type="primary",
                    on_click=_approve, args=(one, key),
                )  # fmt: skip
                st.button(t("Refuse"), key=f"approvals:refuse:{one.id}", on_click=_refuse, args=(one, key))
        elif one.mine:
            st.caption(t("You asked for this yourself: a colleague decides."))
            st.button(t("Withdraw"), key=f"approvals:withdraw:{one.id}", on_click=_withdraw, args=(one, key))


def _show_credit(actor: Actor, one: Request, wish: corrections.Wish) -> None:
    """Draw the lines of a credit, and the bill before and after it; or why it can't be given any more."""
    asked = {"customer_id": one.customer_id}
    try:
        with reading() as session:
            lines = corrections.lines(session, actor, bill_no=wish.bill_no, **asked)
            seen = corrections.preview(session, actor, wish=wish, **asked)
    except DomainError as refusal:
        st.warning(md(message(refusal)), icon=":material/rule:")
        return
    rows = [(credit_form.line_name(lines[ordinal]), euro(cents)) for ordinal, cents in wish.parts.items()]
    draw(fact_rows([*rows, *credit_form.effect(seen)], strong=(len(rows) + 2, len(rows) + 3)))


def show_decided(one: Request) -> None:
    """Draw a request that was decided."""
    with card(f"approval-{one.id}"):
        _facts(one)
        forms.answer(_form(one))  # Of two who decide at once, the second one reads it beside what the first one said.


def _facts(one: Request) -> None:
    word, tone, icon = _STATES[one.state]
    rows = [
        (t("Customer"), f"{one.customer_name} · {one.customer_no}"),
        *_what(one),
        (t("Comment"), one.comment),
        (t("Asked by"), f"{one.requested_by} · {moment(one.requested_at)}"),
    ]
    if one.decided_by and one.decided_at:
        rows.append((t("Decided by"), f"{one.decided_by} · {moment(one.decided_at)}"))
    if one.note:
        rows.append((t("Note"), one.note))
    draw(
        head(t(_TITLES[one.kind]), 3, marks=(Mark(t(word), tone, icon),), end=euro(one.amount_cents)),  # type: ignore[arg-type]
        fact_rows(rows),
    )


def _what(one: Request) -> list[tuple[str, str]]:
    """Tell what is asked, in the words of its form."""
    wish = one.wish
    if isinstance(wish, refunds.Wish):
        of = t("credit note {bill_no}", bill_no=wish.credit_note_no) if wish.credit_note_no else t("what was paid too much")
        return [(t("Of"), of), (t("To account"), group_iban(wish.iban.replace(" ", "")))]
    target = t("Off the next bill") if wish.target is Target.NEXT_BILL else t("Off this bill")
    what = t("Lines of the bill") if wish.parts else t("One amount")
    return [(t("Bill"), f"{wish.bill_no} · {what} · {target}"), (t("Reason"), credit_form.reason(one.reason))]


def _form(one: Request) -> str:
    return f"{FORM}:{one.id}"


def _note(one: Request) -> str:
    return str(st.session_state.get(f"approvals:note:{one.id}", ""))


def _approve(one: Request, key: str) -> None:
    """Let it pass; what comes of it is said above the list, for the card is gone."""

    def told(made: str | int) -> str:
        if one.kind is ApprovalKind.CREDIT:
            return t("Approved: credit note {bill_no} is made.", bill_no=str(made))
        return t("Approved: the refund waits for the bank.")

    act(approvals.approve, form=_form(one), operation=key, done=told, approval_id=one.id, shown_version=one.version, note=_note(one))
    said = forms.last(_form(one))
    if said and said.good:
        forms.say(FORM, said.text, good=True)


def _refuse(one: Request, key: str) -> None:
    if act(approvals.refuse, form=_form(one), operation=key, approval_id=one.id, shown_version=one.version, note=_note(one)):
        forms.say(FORM, t("Refused. Your colleague reads your note here."), good=True)


def _withdraw(one: Request, key: str) -> None:
    if act(approvals.withdraw, form=_form(one), operation=key, approval_id=one.id, shown_version=one.version):
        forms.say(FORM, t("Withdrawn."), good=True)
