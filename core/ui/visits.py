"""How a technician's visit is told: its title, its state, its conditions, its price, its outcome."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from core import catalogue, clock, i18n
from core.actor import Actor, Permission
from core.errors import N_
from core.models.appointment import AppointmentCategory, AppointmentState, Failure
from core.services import appointments, slots, visits
from core.services.slots import HalfDay
from core.services.visits import Visit
from core.ui.half_days import CATEGORIES, Choice, hours, short
from core.ui.parts import Tone
from core.ui.text import day, language, md, t, tn

STATES: dict[AppointmentState, tuple[str, Tone, str]] = {
    AppointmentState.INITIALIZED: (N_("Visit asked for"), "info", "schedule"),
    AppointmentState.CONFIRMED: (N_("Visit confirmed"), "good", "check_circle"),
    AppointmentState.COMPLETED: (N_("Visit done"), "good", "task_alt"),
    AppointmentState.FAILED: (N_("Visit did not take place"), "bad", "error"),
    AppointmentState.CANCELLED: (N_("Visit cancelled"), "neutral", "cancel"),
}
OUTCOMES: dict[str, Callable[..., Visit]] = {
    N_("It took place"): appointments.complete,
    N_("It took place; the fault was in the network"): partial(appointments.complete, network_fault=True),
    N_("We did not come"): partial(appointments.fail, by=Failure.OPERATOR),
    N_("Nobody was at home"): partial(appointments.fail, by=Failure.CUSTOMER),
    N_("Nobody was at home; waive the fee"): partial(appointments.fail, by=Failure.CUSTOMER, waive=True),
    N_("No access to the place"): partial(appointments.fail, by=Failure.NO_ACCESS),
}
SOON = timedelta(hours=48)
HOUR = timedelta(hours=1)


def title(visit: Visit) -> str:
    """Write what comes, and when, in full words."""
    return f"{t(CATEGORIES[visit.category])} · {visits.when(language(), visit.day, visit.part)}"


def past_title(visit: Visit) -> str:
    """Write what was, and when, for a list."""
    return f"**{day(visit.day)}** · {hours(visit.part)} · {t(CATEGORIES[visit.category])}"


def state(visit: Visit) -> tuple[str, Tone, str]:
    """Return word, tone and icon of a visit's state."""
    if visit.awaits_outcome:
        return t("Outcome to be noted"), "watch", "pending_actions"
    word, tone, icon = STATES[visit.state]
    return t(word), tone, icon


def conditions(visit: Visit, actor: Actor) -> str:
    """Tell all that goes with a coming visit, in one paragraph of safe markdown."""
    minutes = slots.rule("call_ahead_minutes")
    place = t("{place} · the technician calls {minutes} min before · an adult must be present.", place=md(visit.place), minutes=minutes)
    part_of = t("Part of the house move.") if visit.house_move else ""
    sentences = (place, part_of, _until(visit, actor), price(visit.category, visit.fee_cents, visit.fee_reason))
    return " ".join(sentence for sentence in sentences if sentence)


def price(category: AppointmentCategory, fee_cents: int, fee_reason: str | None) -> str:
    """Tell what a visit will cost; a house move tells it itself."""
    if category is AppointmentCategory.MOVE:
        return ""
    if not fee_cents:
        return t("{reason}: free of charge.", reason=t(fee_reason)) if fee_reason else t("Free of charge.")
    if category is AppointmentCategory.REPAIR:
        return t("{fee_cents} if the fault is in the home's own installation, nothing if it is in the network.", fee_cents=fee_cents)
    return t("Price: {fee_cents}.", fee_cents=fee_cents)


def outcome(visit: Visit) -> str:
    """Tell how a past visit went, and what it cost."""
    if visit.failed_by is Failure.OPERATOR:
        return t("Missed by us: {credit_cents} of compensation.", credit_cents=visit.credit_cents)
    if visit.failed_by is Failure.CUSTOMER:
        fee = t("{fee_cents} charged.", fee_cents=visit.fee_cents) if visit.fee_cents else t("the fee was waived.")
        return t("Nobody was at home: {fee}", fee=fee)
    if visit.failed_by is Failure.NO_ACCESS:
        return t("No access to the place: nothing charged.")
    if visit.state is not AppointmentState.COMPLETED:
        return ""
    if visit.fee_cents:
        return t("{fee_cents} charged.", fee_cents=visit.fee_cents)
    return t("{reason}: free of charge.", reason=t(visit.fee_reason)) if visit.fee_reason else ""


def review(choice: Choice, half_day: HalfDay, fee: tuple[int, str | None], actor: Actor) -> str:
    """Tell what a confirmation will do: from where to where, at what price, and what is sent."""
    after = short(half_day.day, half_day.part)
    visit, most = choice.visit, slots.rule("self_moves")
    if visit is None:
        what = t("**{category}** on **{after}**", category=t(CATEGORIES[choice.category]), after=after)
        return " · ".join((what, price(choice.category, *fee).rstrip("."), t("confirmation by message")))
    what = t("**Move** {before} → **{after}**", before=short(visit.day, visit.part), after=after)
    count = t("move {number} of {most}", number=visit.self_moves + 1, most=most)
    if actor.staff:
        count = t("not counted as one of the customer's {most} moves", most=most)
    along = [t("the arrival moves along, the day of leaving stays")] if visit.house_move else []
    return " · ".join((what, t("free"), count, *along, t("confirmation by message")))


def planned(visit: Visit) -> str:
    """Answer a new visit."""
    return t("The visit is planned: {when}. The confirmation is sent.", when=visits.when(language(), visit.day, visit.part))


def moved(visit: Visit) -> str:
    """Answer a move."""
    return t("The visit is moved: {when}. The confirmation is sent.", when=visits.when(language(), visit.day, visit.part))


def postponed(value: date) -> str:
    """Answer a move that a house move follows."""
    return t("The visit is moved to {when}, and the house move with it. The confirmation is sent.", when=day(value, "full"))


def cancelled(visit: Visit) -> str:
    """Answer a cancellation."""
    return t("The visit is cancelled: {when}. A message is sent.", when=visits.when(language(), visit.day, visit.part))


def noted(visit: Visit) -> str:
    """Answer an outcome; what we owe for a missed visit is only said here."""
    if visit.credit_cents:
        return t("Noted. The customer is owed {credit_cents} for the missed visit.", credit_cents=visit.credit_cents)
    return t("Noted.")


def rules() -> str:
    """Tell the rules of visits as a list in markdown."""
    fee, credit = catalogue.catalogue().fees["FEE_TECHNICIAN"].cents, catalogue.law("missed_visit_credit_cents")
    sentences = (
        t("A visit takes place on a half day, in the morning or in the afternoon, from Monday to Saturday, never on a public holiday."),
        t(
            "You can move or cancel it until {hour}:00 on the working day before, and move it {most} times at most. After that, call {phone}.",
            hour=slots.rule("cut_off_hour"), most=slots.rule("self_moves"), phone=slots.phone(),
        ),
        t(
            "A repair costs {fee_cents} if the fault is in the home's own installation. A second visit within {days} days is free.",
            fee_cents=fee, days=slots.rule("repeat_days"),
        ),
        t("If nobody is at home, the visit costs {fee_cents}. If we do not come, you receive {credit_cents}.", fee_cents=fee, credit_cents=credit),
        t("Prices are demo prices."),
    )  # fmt: skip
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _until(visit: Visit, actor: Actor) -> str:
    moment = clock.local(visit.cut_off_at)
    until = t("{day} at {time}", day=day(moment.date(), "weekday"), time=i18n.clock_time(moment))
    if not visit.in_time and actor.may(Permission.APPOINTMENT_OVERRIDE):
        return t("The time to change it passed on {until}: a reason is asked for.", until=until)
    if not visit.in_time:
        return t("It could be changed until {until}. Call {phone}: a colleague can still do it.", until=until, phone=slots.phone())
    if not actor.staff and not visit.moves_left:
        return t("You have moved it as often as you can yourself. Call {phone} for another day.", phone=slots.phone())
    changeable = t("Can be changed until {until}{left}.", until=until, left=_left(visit.cut_off_at - clock.now()))
    return (
        changeable
        if actor.staff
        else f"{changeable} {tn('You can move it once more.', 'You can move it {count} times.', visit.moves_left)}"
    )


def _left(left: timedelta) -> str:
    if left >= SOON:
        return ""
    return t(" ({hours} h left)", hours=left // HOUR) if left >= HOUR else t(" ({minutes} min left)", minutes=left.seconds // 60)
