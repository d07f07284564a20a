"""The queue of money that waits for its bill: what each payment says, whose it may be and why, and the way to give it to somebody else."""

import streamlit as st

from core.actor import Actor
from core.db import reading
from core.errors import N_, DomainError
from core.services import payment_matching, payments, search
from core.services.payment_matching import Clue, Suggestion
from core.services.payments import UnmatchedPayment
from core.services.search import Hit
from core.services.search_terms import MOST_CHARACTERS, Why
from core.ui import forms, parts
from core.ui.act import act, operation
from core.ui.parts import Mark, draw, entry
from core.ui.text import day, euro, md, message, t, tn

FORM = "payments:queue"
FIRST_ROWS = 10
HITS = 5
CLUES = {
    Clue.DIGIT: N_("one digit differs"),
    Clue.SWAP: N_("two digits changed places"),
    Clue.BILL_NO: N_("its number is named"),
    Clue.CUSTOMER_NO: N_("the customer no. is named"),
    Clue.ACCOUNT: N_("this account pays for this customer"),
    Clue.NAME: N_("the name is alike"),
    Clue.AMOUNT: N_("the same amount"),
}
_ALL = "payments:queue:all"


def show(actor: Actor) -> None:
    """Draw the queue, the oldest payment first, ten at first."""
    with reading() as session:
        rows = payments.unmatched(session, actor)
    shown = rows if st.session_state.get(_ALL) else rows[:FIRST_ROWS]
    with reading() as session:
        found = {row.id: payment_matching.suggest(session, actor, payment_id=row.id) for row in shown}
    with parts.row("queue"):
        parts.heading(t("Waits for its bill"), width="content")
        if rows:
            parts.badge(tn("{count} payment", "{count} payments", len(rows)), "watch", "hourglass_empty")
            st.caption(euro(sum(row.amount_cents for row in rows)), width="content")
    forms.answer(FORM)
    with parts.card("queue"):
        if not rows:
            parts.empty(t("Every payment has found its bill."))
        for row in shown:
            _show_row(actor, row, found[row.id])
        if len(rows) > len(shown):
            st.button(t("See {count} more", count=len(rows) - len(shown)), key=_ALL, icon=":material/expand_more:")


def reasons(found: Suggestion) -> str:
    """Say why a payment may be meant for a bill."""
    return ", ".join(t(CLUES[clue]) for clue in found.clues)


def payer(row: UnmatchedPayment) -> str:
    """Say who paid, with which words."""
    told = (row.payer_name, row.payer_masked, f"“{row.communication}”" if row.communication else t("without communication"))
    return " · ".join(part for part in told if part)


def _show_row(actor: Actor, row: UnmatchedPayment, found: list[Suggestion]) -> None:
    with st.container(gap="xxsmall", key=f"waitrow-{row.id}"):
        draw(entry(day(row.received_on), Mark(t("Waits"), "watch", "hourglass_empty"), euro(row.amount_cents), payer(row)))
        for one in found:  # One below the other, the best first: on a phone the reasons need the whole width.
            _show_suggestion(row, one)
        with st.popover(t("Somebody else"), type="tertiary", icon=":material/search:", key=f"payments:else:{row.id}"):
            _show_search(actor, row)


def _show_suggestion(row: UnmatchedPayment, found: Suggestion) -> None:
    given = {"payment_id": row.id, "customer_id": found.customer_id, "bill_no": found.bill.bill_no if found.bill else None}
    if found.bill:
        label = t("Bill {bill_no}, {name}, {left_cents}", bill_no=found.bill.bill_no, name=found.customer_name, left_cents=found.bill.remaining_cents)  # fmt: skip
        key, target = f"payments:take:{row.id}:{found.bill.bill_no}", found.bill.bill_no
    else:
        label = t("{name}, customer {customer_no}, as credit", name=found.customer_name, customer_no=found.customer_no)
        key, target = f"payments:take:{row.id}:{found.customer_no}", found.customer_no
    st.button(
        md(f"{label} – {reasons(found)}"), key=key, on_click=_match,  # noqa: RUF001 - a dash before the reasons
        args=(given, _done(row, found.customer_name), operation(FORM, row.id, target)),
    )  # fmt: skip


def _show_search(actor: Actor, row: UnmatchedPayment) -> None:
    """Ask for a name or a number, and offer whom it leads to."""
    key = f"payments:find:{row.id}"
    st.text_input(t("Customer or bill"), key=key, placeholder=t("A name, a number, a +++communication+++"), max_chars=MOST_CHARACTERS)
    term = str(st.session_state.get(key) or "").strip()
    if not term:
        return
    try:
        with reading() as session:
            hits = search.find(session, actor, term=term, limit=HITS)
    except DomainError as refusal:
        parts.empty(md(message(refusal)))
        return
    if not hits:
        parts.empty(t("Nobody was found. Try the customer no. or the bill no."))
    for hit in hits:
        _show_hit(row, hit)


def _show_hit(row: UnmatchedPayment, hit: Hit) -> None:
    bill_no = hit.found if hit.why is Why.BILL else None
    given = {"payment_id": row.id, "customer_no": hit.customer_no, "bill_no": bill_no}
    label = f"{hit.name}, {hit.customer_no}"
    st.button(
        md(f"{label}, {t('bill {found}', found=bill_no)}" if bill_no else label), key=f"payments:give:{row.id}:{hit.customer_no}",
        help=md(hit.address) or None, on_click=_give, args=(given, _done(row, hit.name), operation(FORM, row.id, hit.customer_no, bill_no)),
    )  # fmt: skip


def _done(row: UnmatchedPayment, name: str) -> str:
    return t("{amount_cents} counted for {name}; what no bill asks stays as credit.", amount_cents=row.amount_cents, name=name)


def _match(given: dict[str, object], done: str, key: str) -> None:
    act(payments.match, form=FORM, operation=key, done=done, **given)


def _give(given: dict[str, object], done: str, key: str) -> None:
    act(payment_matching.give, form=FORM, operation=key, done=done, **given)
