"""The header band of an open file: the answer first, on every tab. Each value is a link to where it is told in full."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core import clock
from core.catalogue import contact_reasons, law
from core.db import reading
from core.errors import N_
from core.models.appointment import AppointmentCategory
from core.models.bill import LineKind
from core.models.billing_account import DunningState, HoldReason, PaymentMethod
from core.models.mandate import MandateState
from core.models.payment import PlanState
from core.services import overview
from core.services.customers import CustomerHead
from core.services.overview import Overview
from core.ui import navigation
from core.ui.gate import Visit
from core.ui.half_days import PLAN
from core.ui.parts import Mark, draw, head
from core.ui.statuses import status_mark, task_word
from core.ui.text import day, euro, language, md, t, tn

NEXT = "next"
"""What `?bill=` holds for the bill that is still to come."""
EXPLAINED = {"bill": NEXT}

_CATEGORIES = {
    AppointmentCategory.INSTALLATION: N_("installation"),
    AppointmentCategory.REPAIR: N_("repair"),
    AppointmentCategory.MOVE: N_("move"),
}
_CHANNELS = {
    "email": N_("e-mail"), "sms": N_("SMS"), "letter": N_("letter"), "phone": N_("phone"), "chat": N_("chat"), "shop": N_("shop"),
}  # fmt: skip
_TASKS_SHOWN, _WORDS_SHOWN = 2, 40
"""How much of what is left to do stands above a file; the tab of its story tells all."""


@dataclass(frozen=True)
class Cell:
    """One value of the band: its label, the value, a line below, and the page it leads to; `query` says what is opened there."""

    label: str
    value: str
    detail: str
    path: str
    tone: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


def show(visit: Visit) -> Overview:
    """Draw the band, and return what it says."""
    with reading() as session:
        found = overview.read(session, visit.actor, customer_id=visit.customer.id)
    with st.container(border=True, key="card-band", gap="xsmall"):
        draw(_who(visit, found))
        number = visit.customer.customer_no if visit.actor.staff else None
        with st.grid(5, min_column_width=150, gap="small"):
            for cell in (
                _open(found),
                _next_bill(found),
                _payment(visit.customer, found),
                _appointment(visit.customer, found),
                _contact(visit, found),
            ):
                _cell(cell, number)
    return found


def _who(visit: Visit, found: Overview) -> str:
    customer = visit.customer
    note = " · ".join([t("no. {number}", number=customer.customer_no), customer.language.upper(), customer.address])
    return head(customer.name, 1, note=note, marks=[status_mark(customer.status), *_flags(visit, found)])


def _flags(visit: Visit, found: Overview) -> list[Mark]:
    customer = visit.customer
    flags = _money_flags(visit, found)
    if customer.deceased_on:
        flags.insert(0, Mark(t("Deceased on {on}", on=customer.deceased_on), "neutral", "sentiment_dissatisfied"))
    if visit.actor.staff:
        flags += [Mark(t("{name} has this file open", name=name), "neutral", "visibility") for name in found.beside]
        flags += [Mark(_short(task_word(one.code, one.words)), "watch", "task_alt") for one in found.marks.tasks[:_TASKS_SHOWN]]
        if more := len(found.marks.tasks) - _TASKS_SHOWN:
            flags += [Mark(tn("{count} more task", "{count} more tasks", more), "watch", "task_alt")] if more > 0 else []
        flags += [Mark(word, "info", "sell") for word in found.marks.tags]
        if customer.vip:
            flags.append(Mark(t("VIP"), "info", "star"))
        if customer.colleague:
            flags.append(Mark(t("Colleague"), "info", "badge"))
    if customer.vulnerable:
        flags.append(Mark(t("Needs extra care"), "info", "favorite"))
    if found.minor_line:
        flags.append(Mark(t("Line of a minor"), "info", "face"))
    if customer.withdrawal_until and customer.withdrawal_until >= clock.today():
        flags.append(Mark(t("May withdraw until {until}", until=customer.withdrawal_until), "info", "undo"))
    return flags


def _money_flags(visit: Visit, found: Overview) -> list[Mark]:
    """Return how the follow-up of unpaid bills stands."""
    customer = visit.customer
    flags: list[Mark] = []
    if customer.dunning_hold_until and customer.dunning_hold_until > clock.today():
        told = (
            N_("With the ombudsman until {until}")
            if customer.dunning_hold_reason is HoldReason.OMBUDSMAN
            else N_("Follow-up on hold until {until}")
        )
        flags.append(Mark(t(told, until=customer.dunning_hold_until), "watch", "gavel"))
    if found.open_amount.overdue_cents:
        flags.append(Mark(t("In arrears"), "bad", "error"))
    if found.plan and found.plan.state is PlanState.PROPOSED:
        flags.append(Mark(t("Payment plan proposed"), "info", "calendar_month"))
    if customer.dunning_state is DunningState.RESTRICTED:
        flags.append(Mark(t("Outgoing calls barred, 112 open"), "bad", "phone_disabled"))
    return flags


def _open(found: Overview) -> Cell:
    amount = found.open_amount
    if amount.overdue_cents and amount.oldest_overdue:
        days = (clock.today() - amount.oldest_overdue).days
        detail = t("{overdue_cents} overdue for {days} days", overdue_cents=amount.overdue_cents, days=days)
        return Cell(t("Open amount"), euro(amount.open_cents), detail, "bills", "red")
    if amount.open_cents:
        told = [t("due {due}", due=day(amount.next_due, "short"))] if amount.next_due else []
        told += _instalment(found)
        told += [t("{disputed_cents} disputed", disputed_cents=amount.disputed_cents)] if amount.disputed_cents else []
        told += [t("{credit_cents} of credit", credit_cents=amount.credit_cents)] if amount.credit_cents > 0 else []
        return Cell(t("Open amount"), euro(amount.open_cents), " · ".join(told), "bills")
    if amount.credit_cents:
        return Cell(t("Credit balance"), euro(amount.credit_cents), t("goes off the next bill"), "bills", "green")
    first = found.next_bill is not None and found.next_bill.first
    return Cell(t("Open amount"), euro(0), t("no bill yet") if first else t("everything is paid"), "bills")


def _instalment(found: Overview) -> list[str]:
    """Say what a running payment plan asks next."""
    part = found.plan.next_part if found.plan and found.plan.state is PlanState.ACTIVE else None
    return [t("instalment of {left_cents} by {due}", left_cents=part.left_cents, due=day(part.due, "short"))] if part else []


def _next_bill(found: Overview) -> Cell:
    bill = found.next_bill
    if bill is None:
        return Cell(t("Next bill"), t("None any more"), t("no running contract"), "bills")
    extra = sum(line.amount_cents for line in bill.draft.lines if line.kind in {LineKind.USAGE, LineKind.THIRD_PARTY})
    once = sum(line.amount_cents for line in bill.draft.lines if line.kind in {LineKind.ONE_OFF, LineKind.PENALTY})
    value = t("{date} · about {amount_cents}", date=day(bill.bill_date, "short"), amount_cents=bill.amount_due_cents)
    credit = min(found.open_amount.credit_cents, bill.amount_due_cents)
    if extra:
        told = t("of which {extra_cents} outside the bundle", extra_cents=extra)
        off = t("{credit_cents} of credit go off it", credit_cents=credit) if credit > 0 else ""
        return Cell(t("Next bill"), value, " · ".join(filter(None, (told, off))), "bills", "orange", EXPLAINED)
    if credit > 0:
        return Cell(t("Next bill"), value, t("{credit_cents} of credit go off it", credit_cents=credit), "bills", query=EXPLAINED)
    if once:
        return Cell(t("Next bill"), value, t("of which {once_cents} charged once", once_cents=once), "bills", query=EXPLAINED)
    if bill.first:
        return Cell(t("Next bill"), value, " + ".join(euro(line.amount_cents) for line in bill.draft.lines), "bills", query=EXPLAINED)
    return Cell(t("Next bill"), value, t("nothing outside the bundle"), "bills", query=EXPLAINED)


def _payment(customer: CustomerHead, found: Overview) -> Cell:
    if customer.payment_method is PaymentMethod.DIRECT_DEBIT:
        days = law("direct_debit_due_days")
        return Cell(t("Payment"), t("Direct debit"), t("{days} days after the bill", days=days), "bills")
    if found.mandate is MandateState.PENDING_SIGNATURE:
        return Cell(t("Payment"), t("Transfer"), t("mandate waits for its signature"), "bills", "orange")
    if found.mandate is MandateState.CANCELLED and found.mandate_ended_on:
        return Cell(t("Payment"), t("Transfer"), t("mandate ended on {on}", on=day(found.mandate_ended_on, "short")), "bills", "orange")
    return Cell(t("Payment"), t("Transfer"), t("no direct debit"), "bills")


def _appointment(customer: CustomerHead, found: Overview) -> Cell:
    visit = found.next_visit
    if visit is None:
        if customer.read_only:
            return Cell(t("Appointment"), t("None planned"), "", "appointments")
        return Cell(t("Appointment"), t("None planned"), t("plan a visit"), "appointments", query={PLAN: "1"})
    hours = visit.part.replace("-", "–")  # noqa: RUF001 - a dash between hours
    return Cell(t("Appointment"), f"{day(visit.day, 'weekday')} · {hours} h", t(_CATEGORIES[visit.category]), "appointments")


def _contact(visit: Visit, found: Overview) -> Cell:
    last, path = found.last_contact, "timeline" if visit.actor.staff else "account"
    if last is None:
        return Cell(t("Last contact"), t("None yet"), "", path)
    on = day(clock.local(last.at).date(), "short")
    reasons = contact_reasons()
    subject = reasons[last.subject][language()] if last.subject in reasons else last.subject  # type: ignore[index]
    return Cell(t("Last contact"), f"{on} · {t(_CHANNELS.get(last.channel, last.channel))}", subject, path)


def _short(words: str) -> str:
    return words if len(words) <= _WORDS_SHOWN else f"{words[: _WORDS_SHOWN - 1].rstrip()}…"


def _cell(cell: Cell, customer_no: str | None) -> None:
    """Draw a cell as one link of three lines; the style sheet puts each part on a line of its own."""
    value = f"**{md(cell.value)}**"
    value = f":{cell.tone}[{value}]" if cell.tone else value
    st.page_link(
        navigation.page(cell.path),
        label=f":small[{md(cell.label)}] {value} :small[{md(cell.detail) or '&nbsp;'}]",
        query_params=navigation.customer_query(customer_no) | dict(cell.query),
    )
