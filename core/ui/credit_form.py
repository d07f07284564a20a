"""The section of a bill's drawer that credits it: what, why, and the bill before and after (W8)."""

from datetime import date, timedelta

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.catalogue import law
from core.db import reading
from core.errors import N_, DomainError
from core.services import approvals, corrections, payment_entry
from core.services.approvals import Request
from core.services.bill_words import COMPENSATIONS, CreditReason, label
from core.services.billing import Line
from core.services.bills import BillRow
from core.services.corrections import COMMENT_LENGTH, Creditable, NothingToCredit, Preview, Target, Wish
from core.ui import forms, refund_form
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import draw, fact_rows, head, note
from core.ui.text import day, euro, language, md, message, t

FORM = "bill:credit"
WHOLE = 0
"""The place of the one amount, where the lines have their ordinals."""

_WHAT, _REASON, _DAY, _TARGET, _COMMENT = (f"bills:credit:{name}" for name in ("what", "reason", "day", "target", "comment"))
_OPEN, _ROUND = "_credit_open", "_credit_round"
_LINES, _AMOUNT = "lines", "amount"
_REASONS = {
    CreditReason.BILLING_ERROR: N_("Mistake on the bill"),
    CreditReason.GOODWILL: N_("Goodwill gesture"),
    CreditReason.OUTAGE: N_("Outage, made good without VAT"),
}


def reason(code: str) -> str:
    """Write the reason of a credit, without the day that the credit note adds."""
    return t(_REASONS[CreditReason(code)])


def effect(seen: Preview) -> list[tuple[str, str]]:
    """Write a bill before and after a credit."""
    rows = [
        (t("Total"), euro(seen.total_cents)),
        (t("Credited before"), euro(seen.credited_cents)),
        (t("This credit"), _sum(seen)),
        (t("Left to pay"), f"{euro(seen.before_cents)} → {euro(seen.after_cents)}"),
    ]
    return [*rows, (t("Stays as credit for the next bill"), euro(seen.kept_cents))] if seen.kept_cents else rows


def line_name(line: Line) -> str:
    """Write what a line of a bill is about."""
    name = label(line.code, language(), line.since, line.until)
    return f"{name}, {line.detail}" if line.detail else name


def show(visit: Visit, row: BillRow) -> None:
    """Draw what can still be credited of a bill, and of a credit note the comment; nothing for who may not."""
    if not visit.actor.may(Permission.CREDIT_WRITE):
        return
    if row.is_credit_note:
        _show_comment(visit, row)
        return
    with reading() as session:
        found = corrections.creditable(session, visit.actor, customer_id=visit.customer.id, bill_no=row.bill_no)
        waiting = approvals.of_customer(session, visit.actor, customer_id=visit.customer.id)
    last = forms.last(FORM)
    if last and last.good:
        st.rerun()  # It is done: the page behind shows it.
    draw(head(t("Credit"), 3))
    waits = next((one for one in waiting if one.subject == row.bill_no), None)
    if waits:
        draw(note(_waits(waits)))
    elif not found.own_cents and not found.lines and not found.damage_cents:
        draw(note(t("This bill is credited in full.")))
    elif st.session_state.get(_OPEN) != row.bill_no:
        st.button(t("Credit this bill"), key=f"bills:credit:{row.bill_no}", icon=":material/undo:", on_click=_open, args=(row.bill_no,))
    else:
        _form(visit, row, found)


def show_open(visit: Visit) -> None:
    """Draw on the page what became of the last correction, what waits for an approval, and what was paid too much."""
    if visit.actor.may(Permission.CREDIT_WRITE):
        forms.answer(FORM)
        with reading() as session:
            waiting = approvals.of_customer(session, visit.actor, customer_id=visit.customer.id)
        for one in waiting:
            about = one.subject if one.subject.isdecimal() else t("what was paid too much").capitalize()
            st.info(md(f"{about} · {_waits(one)}"), icon=":material/hourglass_top:")
    refund_form.show_overpaid(visit)


def _show_comment(visit: Visit, row: BillRow) -> None:
    with reading() as session:
        told = corrections.comment(session, visit.actor, customer_id=visit.customer.id, note_no=row.bill_no)
    if told:
        draw(fact_rows([(t("Comment for colleagues"), told)]))


def _form(visit: Visit, row: BillRow, found: Creditable) -> None:
    forms.begin(FORM, int(row.bill_no), {_WHAT: _LINES, _TARGET: Target.THIS_BILL, _COMMENT: ""})
    words = {_LINES: t("Lines of the bill"), _AMOUNT: t("One amount")}
    what = st.segmented_control(
        t("What is credited"), list(words), format_func=words.__getitem__, key=_WHAT, required=True, label_visibility="collapsed"
    )
    by_line = what == _LINES
    st.caption(t("Amounts without VAT.") if found.business else t("Amounts with VAT."))
    reasons = corrections.reasons(by_line=by_line)
    if st.session_state.get(_REASON) not in reasons:
        st.session_state[_REASON] = reasons[0]
    chosen = st.selectbox(t("Reason"), reasons, format_func=lambda code: t(_REASONS[code]), key=_REASON)
    forms.error(FORM, "reason")
    if chosen in COMPENSATIONS:
        st.date_input(
            t("Day of the outage"), value=clock.today() - timedelta(days=1), max_value=clock.today(), key=_DAY, format="DD/MM/YYYY"
        )
        forms.error(FORM, "day")
    if by_line:
        for ordinal, line, left in found.lines:
            _amount(row.bill_no, ordinal, md(line_name(line)), left)
    else:
        _amount(row.bill_no, WHOLE, t("Amount"), found.damage_cents if chosen in COMPENSATIONS else found.own_cents)
    forms.error(FORM, "amount")
    targets = {Target.THIS_BILL: t("Off this bill"), Target.NEXT_BILL: t("Off the next bill")}
    st.segmented_control(
        t("Off which bill"), list(targets), format_func=targets.__getitem__, key=_TARGET, required=True, label_visibility="collapsed"
    )
    st.text_input(t("Comment for colleagues"), key=_COMMENT, max_chars=COMMENT_LENGTH)
    forms.error(FORM, "comment")
    above = _preview(visit, row, found)
    forms.answer(FORM)
    key = operation(FORM, row.bill_no, found.version, st.session_state.get(_ROUND, 0))
    st.button(
        t("Ask for approval") if above else t("Give the credit"), key="bills:credit:save", type="primary", on_click=_save,
        args=(visit.customer.id, row.bill_no, found, above, key),
    )  # fmt: skip


def _amount(bill_no: str, ordinal: int, name: str, left_cents: int) -> None:
    """Ask for the amount of a line; a text, as a browser of another language would drop the comma of a number."""
    label = f"{name} · {t('{left_cents} at most', left_cents=left_cents)}"
    st.text_input(label, key=_amount_key(bill_no, ordinal), placeholder=i18n.money(0, language()).rstrip("€").strip(), max_chars=14)
    forms.error(FORM, f"amount:{ordinal}")


def _preview(visit: Visit, row: BillRow, found: Creditable) -> bool:
    """Draw the bill before and after; True where a second person has to agree."""
    try:
        with reading() as session:
            seen = corrections.preview(session, visit.actor, customer_id=visit.customer.id, wish=_wish(row.bill_no, found))
    except NothingToCredit:
        draw(note(t("Give an amount: what it does is shown here.")))
        return False
    except DomainError as refusal:
        draw(note(message(refusal)))
        return False
    draw(fact_rows(effect(seen), strong=(2, 3)))
    if found.limit_cents is not None:
        limit = {"limit_cents": found.limit_cents, "hours": law("credit_limit_hours"), "used_cents": found.used_cents}
        told = N_("Your own limit is {limit_cents} per customer within {hours} hours; {used_cents} of it are used.")
        if seen.above_limit:
            told = N_(
                "Above your own limit of {limit_cents} per customer within {hours} hours ({used_cents} used): a colleague has to agree."
            )
        draw(note(t(told, **limit)))
    return seen.above_limit


def _sum(seen: Preview) -> str:
    """Write what a note gives, and its VAT."""
    given = seen.amounts
    parts = [euro(given.total_cents)]
    if given.vat_percent and given.incl_cents:
        parts = [
            t(
                "{excl_cents} + {vat_cents} VAT ({percent}\N{NO-BREAK SPACE}%)",
                excl_cents=given.excl_cents,
                vat_cents=given.vat_cents,
                percent=given.vat_percent,
            )
        ]
        if given.third_party_cents:
            parts.append(t("{cents} of third parties, outside VAT", cents=given.third_party_cents))
        return f"{' + '.join(parts)} = {euro(given.total_cents)}"
    return f"{parts[0]} · {t('outside VAT')}"


def _waits(one: Request) -> str:
    return t(
        "{amount_cents} waits for an approval, asked by {who} on {on}.",
        amount_cents=one.amount_cents, who=one.requested_by, on=day(clock.local(one.requested_at).date()),
    )  # fmt: skip


def _wish(bill_no: str, found: Creditable) -> Wish:
    """Read the form."""
    state = st.session_state
    by_line = state[_WHAT] == _LINES
    chosen = CreditReason(state[_REASON])
    cents = {ordinal: _cents(bill_no, ordinal) for ordinal, _line, _left in found.lines} if by_line else {}
    since: date | None = state.get(_DAY) if chosen in COMPENSATIONS else None
    return Wish(
        bill_no=bill_no,
        reason=chosen,
        comment=state[_COMMENT],
        parts={ordinal: amount for ordinal, amount in cents.items() if amount},
        amount_cents=0 if by_line else _cents(bill_no, WHOLE),
        day=since,
        target=Target(state[_TARGET]),
    )


def _cents(bill_no: str, ordinal: int) -> int:
    """Read an amount that was typed, in cents; nothing typed is 0. Raises AmountUnreadable."""
    typed = str(st.session_state.get(_amount_key(bill_no, ordinal)) or "")
    return payment_entry.cents_of(typed, field=f"amount:{ordinal}") if typed.strip() else 0


def _amount_key(bill_no: str, ordinal: int) -> str:
    return f"bills:credit:amount:{bill_no}:{ordinal}"


def _open(bill_no: str) -> None:
    """Show the form of a bill, empty."""
    forms.forget()
    st.session_state[_OPEN] = bill_no
    st.session_state.pop(f"_file:{FORM}", None)


def _save(customer_id: int, bill_no: str, found: Creditable, above: bool, key: str) -> None:  # noqa: FBT001 - what the button said
    """Credit the bill, or ask for it."""
    try:
        wish = _wish(bill_no, found)
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False, field=refusal.field)
        return
    if above:
        done = t("Asked for. A colleague finds it under Approvals.")
        saved = act(approvals.request_credit, form=FORM, operation=key, done=done, customer_id=customer_id, wish=wish)
    else:
        saved = act(
            corrections.credit, form=FORM, operation=key, done=lambda number: t("Credit note {bill_no} is issued.", bill_no=number),
            customer_id=customer_id, wish=wish, shown_version=found.version,
        )  # fmt: skip
    if saved:
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        st.session_state.pop(_OPEN, None)
