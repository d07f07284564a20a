"""The card of what is late: how much, what came of it and what comes next, the payment plan, and what can be done (W8, W9)."""

from datetime import date, timedelta

import streamlit as st

from core import clock
from core.actor import Permission
from core.catalogue import catalogue, law
from core.db import reading
from core.errors import N_, DomainError
from core.models.billing_account import HoldReason
from core.models.dunning import DunningStep
from core.models.payment import PlanState
from core.services import dunning, payment_plans
from core.services.arrears import Arrears, Coming, Told
from core.services.dunning_steps import Rest, Why
from core.services.payment_plans import Broken, Part, PlanView
from core.ui import forms, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark, card, draw, entry, head, heading, ladder, note
from core.ui.text import day, euro, message, t

FORM = "arrears"

STEPS: dict[DunningStep, tuple[str, str]] = {
    DunningStep.REMINDER1: (N_("1st reminder"), "mail"),
    DunningStep.REMINDER2: (N_("2nd reminder"), "mail"),
    DunningStep.FORMAL_NOTICE: (N_("Formal notice"), "gavel"),
    DunningStep.RESTRICTED: (N_("Restriction"), "phone_disabled"),
    DunningStep.SUSPENDED: (N_("Suspension"), "block"),
    DunningStep.TERMINATED: (N_("End of contract"), "do_not_disturb_on"),
    DunningStep.MISSED: (N_("Reminder"), "mail"),
}
_EFFECTS = {
    DunningStep.RESTRICTED: N_("outgoing calls and mobile data barred, calls come in, 112 open"),
    DunningStep.SUSPENDED: N_("services suspended, 112 open"),
    DunningStep.TERMINATED: N_("the contract ends, days paid ahead are given back"),
}
_RESTS = {
    Why.PLAN: N_("No step follows while the payment plan is kept."),
    Why.DISPUTE: N_("No step follows: what is late is disputed."),
    Why.DIRECT_DEBIT: N_("No step follows: the bill is collected."),
    Why.HOLD: N_("No step follows until {until}: the follow-up is on hold."),
    Why.ANNOUNCED: N_("No step follows until {until}: the customer says that the money is on its way."),
    Why.DECEASED: N_("No step follows: the customer has died. Hand the file to a colleague of Billing."),
    Why.CLOSED: N_("No step follows: the customer has left."),
    Why.LAST: N_("No further step follows."),
}
_REASONS = {
    HoldReason.OMBUDSMAN: N_("The ombudsman took the case"),
    HoldReason.INQUIRY: N_("We look into it"),
    HoldReason.DECEASED: N_("The holder is said to have died"),
}


def show(visit: Visit, found: Arrears) -> None:
    """Draw what is late, the ladder, the plan, and what may be done."""
    with card("arrears"):
        _answer(found)
        _ladder(found)
        if found.plan:
            _plan(visit, found.plan)
        forms.answer(FORM)
        if not visit.customer.read_only:
            _actions(visit, found)


def brief(found: Arrears) -> None:
    """Draw what is late and the plan in a few lines; the tab of bills tells it in full."""
    with card("arrears"):
        _answer(found)
        if found.plan:
            told = N_("Payment plan proposed on {on}: {parts}. It begins once the customer accepts it.")
            if found.plan.state is PlanState.ACTIVE:
                told = N_("Payment plan since {on}: {parts}.")
            on = day(found.plan.accepted_on or found.plan.proposed_on, "short")
            st.markdown(t(told, on=on, parts=instalments(found.plan.parts)))
            if found.plan.state is PlanState.ACTIVE and (part := found.plan.next_part):
                paid, left = found.plan.paid_cents, found.plan.total_cents - found.plan.paid_cents
                next_ = N_("{paid_cents} paid, {left_cents} left. Next: {part_cents} by {due}.")
                draw(note(t(next_, paid_cents=paid, left_cents=left, part_cents=part.left_cents, due=part.due)))


def _answer(found: Arrears) -> None:
    amount = found.amount
    with parts.row("arrears"):
        if amount.overdue_cents and amount.oldest_overdue:
            oldest = day(amount.oldest_overdue, "short")
            told = t("{overdue_cents} overdue, the oldest since {oldest}", overdue_cents=amount.overdue_cents, oldest=oldest)
            heading(f":red[{told}]", 3)
        elif amount.disputed_cents and not found.plan:
            heading(t("Nothing is late but what is disputed"), 3)
        else:
            heading(t("Payment plan"), 3)
    if found.broken:
        st.markdown(_broken(found.broken))
    if sentences := _sentences(found):
        st.markdown(" ".join(sentences))


def _spread(found: Arrears) -> bool:
    return found.plan is not None and found.plan.state is PlanState.ACTIVE


def _sentences(found: Arrears) -> list[str]:
    sentences = []
    if found.amount.disputed_cents:
        told = N_("{disputed_cents} more is disputed: it is not claimed until that is decided, and a payment plan leaves its bill out.")
        sentences.append(t(told, disputed_cents=found.amount.disputed_cents))
    if found.suspended_on:
        sentences.append(t("Services suspended since {on}; 112 stays reachable.", on=day(found.suspended_on, "short")))
    if found.next_due and found.amount.overdue_cents:
        number, due = found.missed + 1, day(found.next_due, "short")
        told = N_("{due} would be missed due date no. {number} of the year: without a fee.")
        if found.next_fee_cents:
            told = N_("{due} would be missed due date no. {number} of the year: a reminder of {fee_cents} at most.")
        sentences.append(t(told, due=due, number=number, fee_cents=found.next_fee_cents))
    return sentences


def _broken(plan: Broken) -> str:
    """Tell which instalment was missed, when that broke the plan, and what follows."""
    if plan.missed is None:
        told = N_("The payment plan broke on {on}. What is left of it, {left_cents}, is to be paid at once.")
        return t(told, on=plan.on, left_cents=plan.left_cents)
    told = N_(
        "The payment plan broke on {on}: of the instalment of {due}, {missed_cents} did not arrive. What is left of the plan, {left_cents}, is to be paid at once."
    )
    return t(told, on=plan.on, due=plan.missed.due, missed_cents=plan.missed.left_cents, left_cents=plan.left_cents)


def _ladder(found: Arrears) -> None:
    """Draw what came, with its date, and what would come if nothing was paid, with what it would cost."""
    lines = [_told(one) for one in found.told]
    lines += [_coming(one, first=number == 0) for number, one in enumerate(found.coming)]
    below = ""
    if found.rest and found.rest.why is not Why.NOTHING_LATE:
        below = note(_rest(found.rest))
    elif found.coming and found.lump_sum_cents:
        told = N_(
            "The first {free} missed due dates of a year are free. Beyond the reminders, the law would allow {most_cents} at most; we do not ask for it."
        )
        below = note(t(told, free=law("free_reminders_a_year"), most_cents=found.lump_sum_cents))
    if lines or below:
        draw(head(t("Follow-up"), 3), ladder(lines), below)


def _told(one: Told) -> str:
    word, icon = STEPS[one.step]
    told = [t("free of charge") if not one.fee_cents else t("{fee_cents} on the next bill", fee_cents=one.fee_cents)]
    told.append(
        t(_EFFECTS[one.step]) if one.step in _EFFECTS else t("payable without cost until {last}", last=one.free_until - timedelta(days=1))
    )
    return entry(day(one.day), Mark(t(word), "neutral", icon), euro(one.claimed_cents), " · ".join(told))


def _coming(one: Coming, *, first: bool) -> str:
    word, icon = STEPS[one.step]
    told = [t("if nothing is paid")] if first else []
    if one.fee_cents:
        told.append(t("{fee_cents} on the next bill", fee_cents=one.fee_cents))
    told.append(t(_EFFECTS[one.step]) if one.step in _EFFECTS else "" if one.fee_cents else t("free of charge"))
    return entry(day(one.day), Mark(t(word), "watch", icon), "", " · ".join(filter(None, told)))


def _rest(rest: Rest) -> str:
    return t(_RESTS[rest.why], until=rest.until) if rest.until else t(_RESTS[rest.why])


def _plan(visit: Visit, plan: PlanView) -> None:
    """Draw the plan, with what is paid of each part, and let it be accepted, taken back or ended."""
    active = plan.state is PlanState.ACTIVE
    begun = t("Payment plan since {on}", on=plan.accepted_on or plan.proposed_on)
    mark = Mark(t("Runs"), "good", "check_circle") if active else Mark(t("Waits for the customer's consent"), "watch", "hourglass_top")
    draw(head(begun if active else t("Payment plan proposed on {on}", on=plan.proposed_on), 3, marks=[mark]))
    st.markdown(instalments(plan.parts))
    if plan.paid_cents and not active:
        told = N_("{paid_cents} of it is paid since: the first instalments ask that much less.")
        st.markdown(t(told, paid_cents=plan.paid_cents))
    if active:
        draw(ladder([_part(part) for part in plan.instalments]))
    key = operation("arrears:plan", plan.id, plan.version)
    may_accept = visit.actor.may(Permission.PLAN_ACCEPT) and not active
    may_end = visit.actor.may(Permission.PLAN_WRITE)
    with st.container(horizontal=True, gap="small"):
        if may_accept:
            label = t("The customer accepts the plan") if visit.actor.staff else t("Accept the plan")
            st.button(label, key="bills:plan:accept", type="primary", on_click=_accept, args=(visit.customer.id, plan, f"{key}a"))
        if may_end:
            label, args = t("End the plan") if active else t("Take the proposal back"), (visit.customer.id, plan, f"{key}w")
            if active:  # A plan that is ended does not come back by itself.
                with st.popover(label):
                    st.markdown(t("What is not paid yet is late again at once. A new plan has to be proposed and accepted."))
                    st.button(t("End it now"), key="bills:plan:withdraw", on_click=_withdraw, args=args)
            else:
                st.button(label, key="bills:plan:withdraw", on_click=_withdraw, args=args)
    if may_accept:
        told = t("Once accepted, services come back the same day, and the follow-up rests while each part is paid by its date.")
        st.caption(told)


def instalments(found: tuple[tuple[date, int], ...]) -> str:
    """Write "3 times 56,00 € (02/12, 02/01, 02/02)" in markdown; unequal parts one by one."""
    amounts = {cents for _due, cents in found}
    told = " + ".join(euro(cents) for _due, cents in found)
    if len(amounts) == 1:
        told = f"{len(found)} × {euro(amounts.pop())}"  # noqa: RUF001 - a multiplication sign
    return f"**{told}** ({', '.join(day(due, 'short') for due, _cents in found)})"


def _part(part: Part) -> str:
    if not part.left_cents:
        return entry(day(part.due), Mark(t("Paid"), "good", "check_circle"), euro(part.cents), "")
    late = part.due < clock.today()
    mark = Mark(t("Late"), "bad", "error") if late else Mark(t("To pay"), "info", "schedule")
    ends = part.due + timedelta(days=catalogue().instalments.broken_after_days.value)
    told = [t("{left_cents} left", left_cents=part.left_cents)] if part.left_cents < part.cents else []
    told += [t("unpaid on {ends}, it breaks the plan", ends=ends)] if late else []
    return entry(day(part.due), mark, euro(part.cents), " · ".join(told))


def _actions(visit: Visit, found: Arrears) -> None:
    """Draw what staff may do: propose a plan, believe an announced payment, hold the follow-up."""
    running = _spread(found)
    propose = visit.actor.may(Permission.PLAN_WRITE) and not running and found.amount.open_cents
    write = visit.actor.may(Permission.DUNNING_WRITE)
    if propose:
        with st.expander(t("Propose another plan") if found.plan else t("Propose a payment plan"), icon=":material/calendar_month:"):
            _propose(visit, found)
    if write and found.may_announce and not running:
        with st.expander(t("Payment announced, with proof"), icon=":material/outgoing_mail:"):
            _declare(visit, found)
    if write and found.hold:
        on_hold = t("On hold until {until}: {reason}.", until=found.hold.until, reason=t(_REASONS[found.hold.reason]))
        st.markdown(on_hold)
        key = operation("arrears:release", found.version)
        st.button(t("End the hold"), key="bills:release", on_click=_release, args=(visit.customer.id, found.version, key))
    elif write and not running:
        with st.expander(t("Put the follow-up on hold"), icon=":material/pause_circle:"):
            _hold(visit, found)


def _propose(visit: Visit, found: Arrears) -> None:
    least, most = payment_plans.least_and_most()
    choices = list(range(least, most + 1))
    chosen = st.selectbox(t("Number of instalments"), choices, index=choices.index(3), key="bills:plan:parts", width=200)
    try:
        with reading() as session:
            shown = payment_plans.preview(session, visit.actor, customer_id=visit.customer.id, parts=chosen)
    except DomainError as refusal:
        st.caption(message(refusal))
        return
    st.markdown(instalments(shown))
    st.date_input(
        t("Ask for the answer on (a task for you)"), value=None, min_value=clock.today(), key="bills:plan:ask", format="DD/MM/YYYY", width=200
    )  # fmt: skip
    forms.error(FORM, "due")
    plan = found.plan
    key = operation("arrears:propose", chosen, found.amount.open_cents, plan.id if plan else None, plan.version if plan else None)
    st.button(t("Propose this plan"), key="bills:plan:propose", on_click=_offer, args=(visit.customer.id, plan, chosen, key))


def _declare(visit: Visit, found: Arrears) -> None:
    days = catalogue().dunning.announced_days.value
    st.caption(t("Believed once a year: services come back today, and the money is waited for during {days} days.", days=days))
    forms.begin("arrears:declare", visit.customer.id, {"bills:declare:proof": ""})
    st.text_input(t("What proves it"), key="bills:declare:proof", max_chars=200, placeholder=t("Bank statement: day, amount, reference"))
    forms.error(FORM, "proof")
    key = operation("arrears:declare", found.version, found.amount.open_cents)
    st.button(t("Note the announcement"), key="bills:declare", on_click=_announce, args=(visit.customer.id, key))


def _hold(visit: Visit, found: Arrears) -> None:
    last = clock.add_months(clock.today(), law("mediation_hold_months"))
    st.caption(t("Nothing is claimed until that day, {last} at the latest; services stay as they are.", last=last))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(t("Why"), list(_REASONS), format_func=lambda reason: t(_REASONS[reason]), key="bills:hold:reason", width=260)
        st.date_input(t("Until"), value=last, key="bills:hold:until", format="DD/MM/YYYY", width=150)
    forms.error(FORM, "until")
    key = operation("arrears:hold", found.version)
    st.button(t("Hold it"), key="bills:hold", on_click=_pause, args=(visit.customer.id, found.version, key))


def _accept(customer_id: int, plan: PlanView, key: str) -> None:
    done = lambda first: t("The plan runs. The first part is due on {first}.", first=first)  # noqa: E731 - the answer to a click
    act(payment_plans.accept, form=FORM, operation=key, done=done, customer_id=customer_id, plan_id=plan.id, shown_version=plan.version)


def _withdraw(customer_id: int, plan: PlanView, key: str) -> None:
    done = t("The plan is over: what is late is followed up again.") if plan.state is PlanState.ACTIVE else t("The proposal is taken back.")
    act(payment_plans.withdraw, form=FORM, operation=key, done=done, customer_id=customer_id, plan_id=plan.id, shown_version=plan.version)


def _offer(customer_id: int, plan: PlanView | None, chosen: int, key: str) -> None:
    done = t("The plan is proposed. It begins once the customer accepts it.")
    shown = plan.id if plan else None
    act(
        payment_plans.propose_plan, form=FORM, operation=key, done=done, customer_id=customer_id, shown_plan=shown, parts=chosen,
        ask_on=st.session_state.get("bills:plan:ask"),
    )  # fmt: skip


def _announce(customer_id: int, key: str) -> None:
    done = lambda until: t("Noted. The money is waited for until {until}.", until=until)  # noqa: E731 - the answer to a click
    proof = st.session_state["bills:declare:proof"]
    act(dunning.declare_payment, form=FORM, operation=key, done=done, customer_id=customer_id, proof=proof)


def _pause(customer_id: int, version: int, key: str) -> None:
    given = {"reason": st.session_state["bills:hold:reason"], "until": st.session_state["bills:hold:until"]}
    act(dunning.hold, form=FORM, operation=key, done=t("On hold."), customer_id=customer_id, shown_version=version, **given)


def _release(customer_id: int, version: int, key: str) -> None:
    done = t("The hold is over: the follow-up goes on where it stood.")
    act(dunning.release, form=FORM, operation=key, done=done, customer_id=customer_id, shown_version=version)
