"""The drawer of a plan's options: toggles, the review of one change, and the strip of what can still be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.catalogue import Offering, Service, catalogue
from core.db import reading
from core.errors import N_, DomainError, NotFound
from core.models.customer import CustomerStatus
from core.models.product import ProductStatus
from core.services import billing, bills, order_undo, orders, products
from core.services.option_reviews import Effective, Review
from core.services.order_undo import Undoable
from core.services.products import Held
from core.services.usage_numbers import national
from core.ui import forms, gate, option_words
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import card, draw, drawer, fact_rows, head, heading, lead, note, points, row
from core.ui.text import day, language, md, message, t

FORM = "options"
ASKED = "option"
"""What of the address of Accueil names an option whose review is to be opened."""
DECODER = "TV_DECODER_EXTRA"
TITLES = {
    Service.TV: N_("TV options"),
    Service.INTERNET: N_("Internet options"),
    Service.PHONE: N_("Phone options"),
    Service.MOBILE: N_("Mobile options"),
}
_EFFECTIVE = "home:review:effective"
_ASKED = "_option_asked"


@dataclass(frozen=True)
class _Asked:
    """The change that is being reviewed."""

    product_no: str
    code: str
    turn_on: bool


def open_(plan: Held, group: Service) -> None:
    """Open the options of one service of a plan."""
    _begin(None)
    words = (t(TITLES[group]), md(plan.user_name or ""), national(plan.line) if plan.line else "")
    told = _advice(gate.visit(Permission.CUSTOMER_READ), plan)  # Once: a click in the drawer changes nothing about the last bill.
    drawer(" · ".join(word for word in words if word), lambda: body(plan.product_no, group, told))


def address(product_no: str, code: str) -> str:
    """Return what the address of Accueil holds to open the review of an option."""
    return f"{product_no}:{code}"


def open_asked(held: Sequence[Held]) -> None:
    """Open the review of the option that the address names, once: it leaves the address."""
    product_no, _, code = st.query_params.pop(ASKED, "").partition(":")
    plan = next((one for one in held if one.product_no == product_no), None)
    options = {one.code: one for one in catalogue().options_of(plan.code)} if plan else {}
    if plan and (option := options.get(code)) and option.group:
        open_(plan, option.group)
        _begin(_Asked(product_no, code, turn_on=True))


def open_decoder(product_no: str) -> None:
    """Open the order of one more decoder."""
    _begin(_Asked(product_no, DECODER, turn_on=True))
    drawer(catalogue()[DECODER].name(language()), lambda: decoder_body(product_no))


def body(product_no: str, group: Service, told: Mapping[str, str]) -> None:
    """Draw the options of a service; the review of a change stands right under its toggle."""
    _close_when_done()
    visit = gate.visit(Permission.CUSTOMER_READ)
    plan, under_way = _read(visit, product_no)
    found = _reviewed(visit, plan)
    _refusal()
    if _suspended(visit, plan):
        st.warning(t("The services are suspended: only restrictions can change until the overdue bills are paid."), icon=":material/block:")
    options = catalogue().options_of(plan.code, group)
    for option in options:
        asked = found if found and found.option.code == option.code else None
        _row(visit, plan, option, under_way.get(option.code), asked)
        if found is None and option.code in told:
            draw(note(told[option.code]))
        if asked:
            _review(visit, plan, asked)
    if found is None:  # A review is about one option: what the others hold would only stand in its way.
        holds = [(option.name(language()), " · ".join(option.holds[language()])) for option in options]  # type: ignore[index]
        below = t("Demo prices. What was changed today can be undone until 23:59.")
        draw(head(t("What each option holds"), 3, note=plan.offering.name(language())), fact_rows(holds), note(below))


def decoder_body(product_no: str) -> None:
    """Draw what a decoder is, how many there are, and the review of one more."""
    _close_when_done()
    visit = gate.visit(Permission.CUSTOMER_READ)
    plan, _ = _read(visit, product_no)
    option, found = catalogue()[DECODER], _reviewed(visit, plan)
    if found is None and forms.last(FORM) is None:
        st.rerun()
    st.text(f"{plan.offering.name(language())} · {t('{count} of {most} in use', count=plan.count(DECODER), most=option.max)}")
    draw(points(option.holds[language()]))  # type: ignore[index]
    _refusal()
    if found:
        _review(visit, plan, found)


def changes_of_today(visit: Visit) -> None:
    """Draw what was changed today, or waits to take effect, each with its way back; nothing where there is none."""
    answered = forms.last(FORM)
    with reading() as session:
        changes = order_undo.undoable(session, visit.actor, customer_id=visit.customer.id)
    if not changes and answered is None:
        return
    with card("changes"):
        if changes:
            with row("changes"):
                heading(t("Changes under way"), 3)
        forms.answer(FORM)
        for one in changes:
            _change(visit, one)


def _change(visit: Visit, one: Undoable) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"change-{one.order_no}"):
        with st.container(gap="xxsmall", width="stretch"):
            st.markdown(md(option_words.change(one)))
            st.caption(md(option_words.change_facts(one)))
        if one.why_not is None and visit.actor.may(Permission.ORDER_WRITE):
            st.button(
                t("Withdraw") if one.withdraws else t("Undo"), key=f"home:undo:{one.order_no}", icon=":material/undo:",
                on_click=_undo, args=(visit.customer.id, one, operation("undo", one.order_no)),
            )  # fmt: skip


def _row(visit: Visit, plan: Held, option: Offering, order_no: str | None, asked: Review | None) -> None:
    running, key = [one for one in plan.options if one.code == option.code], f"home:option:{plan.product_no}:{option.code}"
    on = any(one.status is not ProductStatus.PENDING_TERMINATE for one in running)
    price = billing.price_cents(option.code, clock.today(), business=not plan.vat_included)
    st.session_state[key] = asked.turn_on if asked else on
    words = (option.name(language()), option_words.short_price(price, once=option.one_shot), *_states(option, running))
    st.toggle(
        " · ".join(words), key=key, disabled=not _may_switch(visit, plan, option) or order_no is not None, on_change=_ask,
        args=(plan.product_no, option.code, key),
    )  # fmt: skip
    if order_no:
        ends = next((one.until for one in running if one.status is ProductStatus.PENDING_TERMINATE and one.until), None)
        told = t("order {order_no} is under way: undo it on the page behind, or wait", order_no=order_no)
        if ends:
            last = day(ends - timedelta(days=1), "short")
            told = t("order {order_no} ends it after {last}: to keep it, undo that order on the page behind", order_no=order_no, last=last)
        draw(note(told))
    if running and order_no is None and len(running) < option.max and option.max > 1 and _may_switch(visit, plan, option):
        st.button(
            t("One more"), key=f"home:more:{plan.product_no}:{option.code}", icon=":material/add:", type="tertiary",
            on_click=_begin, args=(_Asked(plan.product_no, option.code, turn_on=True),),
        )  # fmt: skip


def _advice(visit: Visit, plan: Held) -> dict[str, str]:
    """Say by option what it would have changed on the last bill: in the reader's language, then to read out in the customer's."""
    languages = dict.fromkeys((language(), visit.customer.language.value if visit.actor.staff else language()))
    found: dict[str, list[str]] = {}
    for tongue in languages:
        with reading() as session:
            advice = bills.last_advice(session, visit.actor, customer_id=visit.customer.id, language=tongue)
        for one in advice:
            if one.product_id == plan.id:
                said = i18n.translate(tongue, one.sentence.msgid, **one.sentence.params)
                found.setdefault(one.code, []).append(said if tongue == language() else f"{tongue.upper()}: {said}")
    return {code: f"{t('On the last bill:')} {' · '.join(said)}" for code, said in found.items()}


def _states(option: Offering, running: list[Held]) -> list[str]:
    """Say what a toggle can't: how many there are, and when one ends."""
    words = []
    if option.one_shot and running:
        words.append(t("{count} bought in this period", count=len(running)))
    elif option.max > 1 and running:
        words.append(t("{count} of {most} in use", count=len(running), most=option.max))
    for one in running:
        if one.status is ProductStatus.PENDING_TERMINATE and one.until and not option.one_shot:
            words.append(t("usable until {last}", last=day(one.until.fromordinal(one.until.toordinal() - 1), "short")))
        elif one.status is ProductStatus.PENDING_ACTIVE:
            words.append(t("on its way, expected on {day}", day=day(one.since, "short")))
    return words


def _review(visit: Visit, plan: Held, found: Review) -> None:
    with st.container(border=True, horizontal=True, gap="small", key="card-review"):  # The texts fill a line each, the buttons share one.
        title, rows = lead(t("Check before you confirm"), option_words.title(found)), fact_rows(option_words.facts(found), strong=(2,))
        if not found.turn_on and found.option.ends == "period" and visit.actor.staff:
            draw(title)
            _effective_choice()
            draw(rows)
        else:
            draw(title, rows)
        key = operation("option", plan.product_no, found.option.code, found.turn_on, found.version)
        st.button(
            t("Confirm"), key="home:review:confirm", type="primary", icon=":material/check:", on_click=_confirm,
            args=(visit.customer.id, plan.product_no, found, _effective(), key),
        )  # fmt: skip
        st.button(t("Cancel"), key="home:review:cancel", on_click=_begin, args=(None,))


def _effective_choice() -> None:
    labels = {Effective.PERIOD_END: t("At the end of the period"), Effective.NOW: t("Today, with a credit")}
    st.segmented_control(
        t("When"), list(labels), default=Effective.PERIOD_END, required=True, format_func=labels.__getitem__, key=_EFFECTIVE,
        label_visibility="collapsed", width="stretch",
    )  # fmt: skip


def _effective() -> Effective:
    return Effective(st.session_state.get(_EFFECTIVE) or Effective.PERIOD_END)


def _read(visit: Visit, product_no: str) -> tuple[Held, dict[str, str]]:
    """Return the plan and the orders under way on it; a plan that ended meanwhile closes the drawer."""
    try:
        with reading() as session:
            plan = products.of_product_no(session, visit.actor, customer_id=visit.customer.id, product_no=product_no)
            return plan, orders.under_way(session, visit.customer.id, plan.id)
    except NotFound:
        st.rerun()


def _reviewed(visit: Visit, plan: Held) -> Review | None:
    """Return the review of what is asked; a refusal is kept as the answer, and the toggle falls back."""
    asked = _asked(plan)
    if asked is None:
        return None
    try:
        with reading() as session:
            return orders.review(
                session, visit.actor, customer_id=visit.customer.id, product_no=plan.product_no, offering_code=asked.code,
                turn_on=asked.turn_on, effective=_effective() if visit.actor.staff else Effective.PERIOD_END,
            )  # fmt: skip
    except DomainError as refusal:
        _begin(None)
        forms.say(FORM, message(refusal), good=False)
        return None


def _refusal() -> None:
    answer = forms.last(FORM)
    if answer is not None and not answer.good:
        st.error(md(answer.text), icon=":material/error:")


def _close_when_done() -> None:
    answer = forms.last(FORM)
    if answer is not None and answer.good:
        st.toast(md(answer.text), icon=":material/check_circle:")
        st.rerun()


def _may_switch(visit: Visit, plan: Held, option: Offering) -> bool:
    return visit.actor.may(Permission.ORDER_WRITE) and (option.restriction or not _suspended(visit, plan))


def _suspended(visit: Visit, plan: Held) -> bool:
    return visit.customer.status is CustomerStatus.SUSPENDED or plan.status is ProductStatus.SUSPENDED


def _ask(product_no: str, code: str, key: str) -> None:
    """Review the change that a toggle asks for; flipped back, it asks for nothing."""
    asked = _Asked(product_no, code, turn_on=st.session_state[key])
    before: _Asked | None = st.session_state.get(_ASKED)
    flipped_back = before is not None and (before.product_no, before.code) == (product_no, code)
    _begin(None if flipped_back else asked)


def _begin(asked: _Asked | None) -> None:
    """Start with one change to review, or with none."""
    forms.forget()
    st.session_state[_ASKED] = asked
    st.session_state.pop(_EFFECTIVE, None)


def _asked(plan: Held) -> _Asked | None:
    asked: _Asked | None = st.session_state.get(_ASKED)
    return asked if asked and asked.product_no == plan.product_no else None


def _confirm(customer_id: int, product_no: str, found: Review, effective: Effective, key: str) -> None:
    """Order what was reviewed."""
    code, turn_on = found.option.code, found.turn_on
    _begin(None)
    act(
        orders.confirm, form=FORM, operation=key, done=lambda order_no: option_words.ordered(found.option, order_no, turn_on=turn_on),
        customer_id=customer_id, product_no=product_no, offering_code=code, turn_on=turn_on, shown_version=found.version,
        effective=effective,
    )  # fmt: skip


def _undo(customer_id: int, one: Undoable, key: str) -> None:
    """Take a change back."""
    done = t("Order {order_no} is undone: {what}.", order_no=one.order_no, what=option_words.change(one))
    act(order_undo.undo, form=FORM, operation=key, done=done, customer_id=customer_id, order_no=one.order_no)
