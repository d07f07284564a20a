"""How a house move is told: its review, its milestones, its half days."""

from core import i18n
from core.errors import N_
from core.models.appointment import DayPart
from core.models.order import Occupancy
from core.services import slots
from core.services.move_progress import Milestone, Move, Step
from core.services.moves import Review
from core.ui.text import day, euro, language, t, tn

OCCUPANCIES = {Occupancy.TENANT: N_("Tenant"), Occupancy.OWNER: N_("Owner")}
STEPS = {
    Step.ACCEPTED: N_("Order accepted"),
    Step.SLOT: N_("Technician's visit"),
    Step.OLD_LINE_STOPS: N_("Old line stops"),
    Step.ACTIVATION: N_("New line active"),
}
WHY = {"television": N_("the line is too slow for television"), "speed": N_("the line is too slow")}


def half_day(value: object, part: DayPart) -> str:
    """Write a half day: mer. 16/12, 08 – 12 h."""  # noqa: RUF002 - the dash of a span of hours
    return f"{day(value, 'weekday')}, {slots.hours(part)} h"  # type: ignore[arg-type]


def facts(review: Review) -> list[tuple[str, str]]:
    """Write a review of a move."""
    wish = review.wish
    found = [
        (t("Old address"), review.old_address),
        (t("New address"), review.address),
        (t("Leaving"), day(wish.move_out, "full")),
        (t("Arrival"), day(wish.move_in, "full")),
        (t("Installation"), half_day(review.half_day.day, review.half_day.part)),
        (t("Between the two"), between(review.overlap_days, review.without_days)),
    ]
    if review.has_number:
        found.append((t("Fixed number"), t("kept") if wish.keep_number else t("a new one, given at the installation")))
    if review.month_before_cents != review.month_after_cents:
        found.append((t("Monthly total"), f"{euro(review.month_before_cents)} → {euro(review.month_after_cents)}"))
    fee = t("{fee_cents} for the technician's work at home", fee_cents=review.fee_cents)
    found += [
        (t("Cost"), fee if review.fee_cents else t("free")),
        (t("Can be cancelled"), t("free until {moment}", moment=i18n.moment(review.cancel_until, language(), "weekday"))),
    ]
    return found


def warnings(review: Review) -> list[str]:
    """Say what to tell the customer before he confirms."""
    found = []
    if review.short_notice_weeks:
        found.append(t("Less than {weeks} weeks ahead: the line may be ready later than wished.", weeks=review.short_notice_weeks))
    if review.bill_to_old_address:
        found.append(t("The bill of {day} still goes to the old address.", day=day(review.bill_to_old_address, "short")))
    if review.overdue_days:
        found.append(t("Bills have been overdue for {days} days: by confirming you approve the move.", days=review.overdue_days))
    found += [t("“{plan}” ends with the move; its options end too.", plan=check.plan.offering) for check in review.checks if check.proposal]
    return found


def between(overlap_days: int, without_days: int) -> str:
    """Say whether both lines run for a time, or none does."""
    if overlap_days:
        return tn("both lines run for {count} day, billed once", "both lines run for {count} days, billed once", overlap_days)
    if without_days:
        return tn("no line for {count} day, paid on", "no line for {count} days, paid on", without_days)
    return t("one line follows the other")


def milestones(move: Move) -> list[tuple[str, str]]:
    """Write the milestones of a move as rows."""
    return [(t(STEPS[one.step]), _milestone(one, move)) for one in move.milestones]


def _milestone(one: Milestone, move: Move) -> str:
    if one.step is Step.SLOT and move.visit is not None:
        return half_day(move.visit.day, move.visit.part)
    return f"{day(one.day, 'weekday')} · {t('done')}" if one.done else day(one.day, "weekday")
