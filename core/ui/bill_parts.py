"""The pieces of the tab of bills: the list, why an amount is what it is, and how to pay."""

import base64
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import streamlit as st

from core import i18n
from core.actor import Permission
from core.catalogue import catalogue, company
from core.db import reading
from core.errors import N_
from core.models.bill import BillState
from core.services import bills, collections, products
from core.services.bill_words import label
from core.services.bills import BillRow, NextBill
from core.services.explain import Advice, Explanation, Told
from core.services.payment_plans import PlanView
from core.services.periods import next_banking_day
from core.services.references import epc_qr, group_iban
from core.ui import bill_drawer, download, gate, navigation, option_drawer, parts
from core.ui.band import NEXT
from core.ui.gate import Visit
from core.ui.parts import Mark, Step, card, draw, entry, facts, heading, note, waterfall
from core.ui.text import day, esc, euro, language, md, t, tn

_SHOWN = "_bill_shown"


def show_next(found: NextBill, credit_cents: int) -> None:
    """Draw the row of the bill that is still to come, and what goes off it."""
    with _row(NEXT):
        amount = t("about {amount_cents}", amount_cents=found.amount_due_cents)
        told = [t("next bill, going by the usage so far")]
        if off := min(credit_cents, found.amount_due_cents):
            left = found.amount_due_cents - off
            told.append(t("less {off_cents} of credit: {left_cents} to pay", off_cents=off, left_cents=left))
        draw(entry(day(found.bill_date), Mark(t("Estimate"), "neutral", "calculate"), amount, " · ".join(told)))
        _explain_button(NEXT, t("See the calculation"))


def show_first(visit: Visit, found: NextBill) -> None:
    """Tell a new customer when the first bill comes, how its amount comes about, and when it is to be paid."""
    with reading() as session:
        due, debit = bills.due_days(session, visit.actor, customer_id=visit.customer.id, bill_date=found.bill_date)
    with card("first_bill"):
        with parts.row("first_bill"):
            heading(t("No bill yet"), 3)
        told = t("The first bill leaves on {on}, for about {amount_cents}:", on=f"**{day(found.bill_date)}**", amount_cents=f"**{euro(found.amount_due_cents)}**")  # fmt: skip
        sums = [
            f"{euro(line.amount_cents)} ({day(line.since, 'short')} – {day(line.until - timedelta(days=1), 'short')})"  # noqa: RUF001 - a dash between days
            if line.share_days
            else f"{euro(line.amount_cents)} ({i18n.day(line.since, language(), 'month')})"
            for line in found.draft.lines
            if line.since and line.until
        ]
        st.markdown(f"{told} {' + '.join(sums)}.")
        st.markdown(t("By transfer it is to be paid by {due}; by direct debit it is collected on {debit}.", due=due, debit=debit))
        st.button(t("See the calculation"), key=f"bills:explain:{NEXT}", icon=":material/help:", on_click=_open, args=(NEXT,))


def show_bill(visit: Visit, row: BillRow) -> None:
    """Draw the row of a bill or a credit note."""
    with _row(row.bill_no):
        amount = i18n.signed_money(-row.total_cents, language()) if row.is_credit_note else euro(row.total_cents)
        draw(entry(day(row.bill_date), _state(row), amount, f"{row.bill_no} · {_story(row)}"))
        if not row.is_credit_note:
            _explain_button(row.bill_no, t("Explain"))
            with st.container(key=f"bills:usage:{row.bill_no}", width="content"):
                query = navigation.customer_query(visit.customer.customer_no if visit.actor.staff else None)
                st.page_link(navigation.page("usage"), label=t("Usage"), query_params=query | {"bill": row.bill_no})
        bill_drawer.button(row)
        st.download_button(
            t("Download (PDF)"), data=download.made(partial(bills.pdf, customer_id=visit.customer.id, bill_no=row.bill_no)), mime="application/pdf",
            type="tertiary", file_name=f"guichet-{visit.customer.customer_no}-{row.bill_no}.pdf", key=f"bills:pdf:{row.bill_no}",
            on_click="ignore",
        )  # fmt: skip


def open_explanation(rows: Sequence[BillRow], *, next_bill: bool) -> None:
    """Open the explanation that the address names, once: closed by the reader, it stays closed."""
    wanted = st.query_params.get("bill")
    known = {row.bill_no for row in rows if not row.is_credit_note} | ({NEXT} if next_bill else set())
    if wanted not in known or st.session_state.get(_SHOWN) == wanted:
        return
    st.session_state[_SHOWN] = wanted
    parts.drawer(t("Why this amount?"), partial(_explanation, wanted), width=560)


class Payable(NamedTuple):
    """What can be paid by one transfer: `bill_no` says which bill it goes to first, `told` names it in a list."""

    bill_no: str
    told: str
    ogm: str
    cents: int
    due: date


def payable(rows: Sequence[BillRow], plan: PlanView | None) -> list[Payable]:
    """Return what is to be paid by transfer, the oldest first: of the bills in a running plan its next instalment, of others what is claimed."""
    oldest_first = sorted((row for row in rows if row.is_open and not row.by_debit), key=lambda row: row.bill_date)
    found = []
    spread = [row for row in oldest_first if row.in_plan]
    if spread and plan and (part := plan.next_part):
        told = f"{t('Instalment of the plan')} · {day(part.due)} · {euro(part.left_cents)}"
        found.append(Payable(spread[0].bill_no, told, spread[0].ogm or "", part.left_cents, part.due))
    for row in oldest_first:
        claimed = row.remaining_cents - row.disputed_cents
        if claimed and not row.in_plan:
            found.append(Payable(row.bill_no, f"{day(row.bill_date)} · {euro(claimed)}", row.ogm or "", claimed, row.due))
    return found


def show_transfer(found: Sequence[Payable]) -> None:
    """Draw how to pay what is open by transfer: account, communication, amount, QR code."""
    ours = company()
    with card("transfer", stretch=True):
        with parts.row("transfer"):
            heading(t("Pay by transfer"), 3)
        one = found[0]
        if len(found) > 1:
            offered = {one.bill_no: one for one in found}
            chosen = st.selectbox(
                t("What to pay"), list(offered), key="bills:transfer:bill", width=330, format_func=lambda bill_no: offered[bill_no].told
            )
            one = offered.get(chosen, one)
        with st.container(horizontal=True, gap="medium"):
            with st.container(width=330):
                facts(
                    [
                        (t("Beneficiary"), ours.name), ("IBAN", group_iban(ours.iban)), (t("Communication"), one.ogm),
                        (t("Amount"), euro(one.cents)), (t("Due"), day(one.due)),
                    ],
                    strong=(2, 3),
                )  # fmt: skip
            with st.container(width=150, gap="xxsmall"):
                code = epc_qr(name=ours.name, account=ours.iban, amount_cents=one.cents, communication=one.ogm)
                data, alt = base64.b64encode(code).decode(), esc(t("QR code of this transfer"))
                st.html(f'<img src="data:image/svg+xml;base64,{data}" width="140" height="140" alt="{alt}">')
                st.caption(t("Scan with your banking app"))


def _explanation(bill_no: str) -> None:
    visit = gate.visit(Permission.BILL_READ)
    asked = {"customer_id": visit.customer.id, "language": language()}
    with reading() as session:
        if bill_no == NEXT:
            found = bills.explain_next(session, visit.actor, **asked)  # type: ignore[arg-type]
        else:
            found = bills.explain_bill(session, visit.actor, bill_no=bill_no, **asked)  # type: ignore[arg-type]
    st.caption(_compared(found, estimate=bill_no == NEXT))
    waterfall([*_steps(found, estimate=bill_no == NEXT)])
    draw(note(_say(found.vat)))
    for told in [*found.sentences, *(one.sentence for one in found.advice)]:
        st.markdown(md(_say(told)))
    if visit.actor.may(Permission.ORDER_WRITE) and not visit.customer.read_only:
        _remedies(visit, [one for one in found.advice if one.worth_it])


def _remedies(visit: Visit, advice: Sequence[Advice]) -> None:
    """Lead from what would have been cheaper to its review, one click away."""
    if not advice:
        return
    with reading() as session:
        numbers = {one.id: one.product_no for one in products.held(session, visit.actor, customer_id=visit.customer.id)}
    query = navigation.customer_query(visit.customer.customer_no if visit.actor.staff else None)
    for one in advice:
        if number := numbers.get(one.product_id or 0):
            label = t("Add {option}", option=md(catalogue()[one.code].name(language())))
            asked = query | {option_drawer.ASKED: option_drawer.address(number, one.code)}
            st.page_link(navigation.page("home"), label=label, icon=":material/add:", query_params=asked)


def _steps(found: Explanation, *, estimate: bool) -> list[Step]:
    total = (
        t("Estimated bill of {on}", on=day(found.bill_date, "short")) if estimate else t("Bill of {on}", on=day(found.bill_date, "short"))
    )
    changes = [Step(_say(step.label), step.cents, i18n.signed_money(step.cents, language())) for step in found.steps]
    end = Step(total, found.total_cents, euro(found.total_cents), is_sum=True)
    if found.before_date is None:
        return [*changes, end]
    before = Step(t("Bill of {on}", on=day(found.before_date, "short")), found.before_cents, euro(found.before_cents), is_sum=True)
    return [before, *changes, end]


def _compared(found: Explanation, *, estimate: bool) -> str:
    before = found.before_date or found.same_as
    if before is None:
        return t("First bill, of {on}: its own lines", on=found.bill_date)
    told = (
        N_("Estimated bill of {on}, compared with the one of {before}")
        if estimate
        else N_("Bill of {on}, compared with the one of {before}")
    )
    text = t(told, on=found.bill_date, before=before)
    return f"{text} · {t('the same amount, for the same reasons')}" if found.same_as else text


def _say(told: Told) -> str:
    return t(told.msgid, **told.params)


def _state(row: BillRow) -> Mark:
    if row.is_credit_note:
        return Mark(t("Credit note"), "neutral", "undo")
    if row.state is BillState.SETTLED:
        return Mark(t("Paid"), "good", "check_circle") if row.paid_on or not row.credited_cents else Mark(t("Credited"), "good", "undo")
    if row.in_plan:
        return Mark(t("In the plan"), "info", "calendar_month")
    if row.days_overdue or row.disputed_cents:
        return Mark(t("Overdue"), "bad", "error") if row.days_overdue else Mark(t("Disputed"), "watch", "balance")
    if row.state is BillState.PARTIALLY_PAID and row.paid_on:
        return Mark(t("Partly paid"), "watch", "timelapse")
    return Mark(t("To be collected") if row.by_debit else t("To pay"), "info", "schedule")


def _story(row: BillRow) -> str:
    """Tell in a few words what became of a bill."""
    if row.is_credit_note:
        reason = label(row.reason or "", language(), row.reason_since, row.reason_until)
        told = t("on bill {bill_no}: {reason}", bill_no=row.refers_to or "", reason=reason)
        if row.refunded_on and row.refunded_to:
            told = f"{told} · {t('paid back on {on} to {account}', on=day(row.refunded_on), account=row.refunded_to)}"
        return told
    if row.returned_on and row.collected_on and row.is_open:
        why = t(collections.RETURN_CODES.get(row.return_code or "", row.return_code or ""))
        returned = t(
            "collected on {on}, sent back on {back}: {why}", on=day(row.collected_on, "short"), back=day(row.returned_on, "short"), why=why
        )
        return f"{returned} ({row.return_code}) · {t('payable until {due}', due=day(row.due))}"
    if row.state is BillState.SETTLED and row.paid_on:
        return t("collected on {on}", on=day(row.paid_on)) if row.collected_on == row.paid_on else t("paid on {on}", on=day(row.paid_on))
    if row.state is BillState.SETTLED:
        return t("nothing to pay")
    due = t("will be collected on {on}", on=day(next_banking_day(row.due))) if row.by_debit else t("due {due}", due=day(row.due))
    if row.in_plan:
        due = t("paid in instalments, by the payment plan")
    if row.days_overdue:
        due = f"{due} · {tn('{count} day late', '{count} days late', row.days_overdue)}"
    if row.disputed_cents:
        due = f"{t('{disputed_cents} disputed', disputed_cents=row.disputed_cents)} · {due}"
    if row.remaining_cents == row.total_cents:
        return due
    left = t("{left_cents} left of {total_cents}", left_cents=row.remaining_cents, total_cents=row.total_cents)
    return f"{left} · {due}"


def _row(name: str) -> "st.delta_generator.DeltaGenerator":
    return st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-{name}")


def _explain_button(name: str, words: str) -> None:
    st.button(words, key=f"bills:explain:{name}", type="tertiary", on_click=_open, args=(name,))


def _open(name: str) -> None:
    """Put the bill into the address, which opens its explanation."""
    st.session_state.pop(_SHOWN, None)
    st.query_params["bill"] = name
