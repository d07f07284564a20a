"""What comes next for unpaid bills, when, and what it may cost (W9, R24). Pure: values in, values out.

The preview on the screen, the nightly job and the demo's past share `next_step`, so they can't disagree.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from core import money
from core.catalogue import LADDER, Dunning, law
from core.models.billing_account import DunningState
from core.models.dunning import DunningStep
from core.services.periods import next_banking_day
from core.services.slots import is_working_day, working_day_after

_DAY = timedelta(days=1)


class Why(StrEnum):
    """Why no step is due."""

    NOTHING_LATE = "nothingLate"
    PLAN = "plan"
    DISPUTE = "dispute"
    DIRECT_DEBIT = "directDebit"
    HOLD = "hold"
    ANNOUNCED = "announced"
    DECEASED = "deceased"
    CLOSED = "closed"
    LAST = "last"


@dataclass(frozen=True)
class Debt:
    """A bill that is open: `due` is the day until which it can be paid, `free_until` the end of the days its first reminder left without cost.

    `reached` is the height of the highest rung that a notice with this bill in it was on; -1 before the first.
    """

    bill_id: int
    bill_no: str
    due: date
    left_cents: int
    disputed_cents: int = 0
    by_debit: bool = False
    in_plan: bool = False
    free_until: date | None = None
    reached: int = -1

    @property
    def claimed_cents(self) -> int:
        """What may be claimed of it: what is disputed, spread or collected is left out."""
        return 0 if self.by_debit or self.in_plan else max(0, self.left_cents - self.disputed_cents)


@dataclass(frozen=True)
class Situation:
    """What the next step depends on. `rung` and `rung_day` are the last step of the running episode, `told_on` the last notice of all.

    `missed` holds the due dates that passed unpaid, those paid since too. Nothing is claimed while `held_since` <= day < `held_until`.
    """

    debts: Sequence[Debt] = ()
    rung: DunningStep | None = None
    rung_day: date | None = None
    told_on: date | None = None
    missed: Collection[date] = ()
    consumer: bool = True
    by_post: bool = False
    held_since: date | None = None
    held_until: date | None = None
    announced_until: date | None = None
    deceased: bool = False
    closed: bool = False


@dataclass(frozen=True)
class Next:
    """The step that comes, and the day on which it is due, which may lie behind."""

    step: DunningStep
    day: date


@dataclass(frozen=True)
class Rest:
    """No step comes, or none before a day, and why."""

    why: Why
    until: date | None = None


@dataclass(frozen=True)
class Claim:
    """A bill as a notice names it; `missed_no` numbers its due date among the missed ones of the year, on its first notice only."""

    bill_id: int
    bill_no: str
    due: date
    cents: int
    missed_no: int | None = None
    fee_cents: int = 0


@dataclass(frozen=True)
class Notice:
    """A step that is taken: what it claims, and the end of the days without cost that it opens."""

    step: DunningStep
    day: date
    claims: tuple[Claim, ...]
    free_until: date
    by_post: bool = False

    @property
    def claimed_cents(self) -> int:
        """What it claims altogether."""
        return sum(claim.cents for claim in self.claims)

    @property
    def fee_cents(self) -> int:
        """What it costs."""
        return sum(claim.fee_cents for claim in self.claims)


def next_step(at: Situation, day: date, rules: Dunning) -> Next | Rest:
    """Return what comes next, seen on a day: the next rung, or before it the reminder of a due date missed since.

    A day that lies behind means that it is due now. A pause is told with its end, where it has one.
    """
    if (rest := _resting(at, day)) is not None:
        return rest
    claimable = [one for one in at.debts if one.claimed_cents]
    if not claimable:
        return Rest(_left_out(at.debts, day))
    rung = _next_rung(at, claimable, rules)
    found = [one for one in (_rung_due(at, claimable, rung, rules), _missed_due(at, claimable, rung, rules)) if one]
    if not found:
        return Rest(Why.LAST)
    comes = min(found, key=lambda one: (one.day, one.step is DunningStep.MISSED))
    return Next(comes.step, max(comes.day, at.told_on + _DAY)) if at.told_on else comes


def take(at: Situation, day: date, rules: Dunning) -> Notice | None:
    """Return the notice that is due on a day, or None. It names all bills whose reminder is due, each with its fee (R24)."""
    comes = next_step(at, day, rules)
    if isinstance(comes, Rest) or comes.day > day:
        return None
    by_post = at.by_post or any(rung.step == comes.step and rung.channel == "letter" for rung in rules.steps)
    claims = tuple(_claim(at, one, rules, by_post=by_post) for one in sorted(owed(at, day, rules), key=lambda one: (one.due, one.bill_id)))
    return Notice(comes.step, day, claims, free_until(day, by_post=by_post), by_post)


def owed(at: Situation, day: date, rules: Dunning) -> list[Debt]:
    """Return the bills that are claimed on a day: late for long enough, and not left out."""
    return [one for one in at.debts if one.claimed_cents and ripe_on(one.due, rules) <= day]


def after(at: Situation, notice: Notice) -> Situation:
    """Return how things stand once a notice was sent."""
    named = {claim.bill_id for claim in notice.claims}
    debts = tuple(
        replace(one, free_until=one.free_until or notice.free_until, reached=max(one.reached, height(notice.step)))
        if one.bill_id in named
        else one
        for one in at.debts
    )
    rung = (at.rung, at.rung_day) if notice.step is DunningStep.MISSED else (notice.step, notice.day)
    return replace(at, debts=debts, rung=rung[0], rung_day=rung[1], told_on=notice.day)


def ripe_on(due: date, rules: Dunning) -> date:
    """Return the day on which a bill is reminded of for the first time."""
    return _working(due + timedelta(days=rules.steps[0].after_days))


def free_until(sent_on: date, *, by_post: bool) -> date:
    """Return the first day on which a reminder sent on a day may have a cost (R24): 14 days from the next day on, by post from the 3rd working day."""
    begins = working_day_after(sent_on, law("reminder_post_working_days")) if by_post else sent_on + _DAY
    return begins + timedelta(days=law("reminder_days"))


def missed_no(missed: Iterable[date], due: date) -> int:
    """Number a due date among the missed ones of its calendar year, itself included."""
    return len({one for one in missed if one.year == due.year and one <= due} | {due})


def fee_cents(number: int, rules: Dunning, *, consumer: bool, by_post: bool) -> int:
    """Return what the reminder of the year's missed due date of that number costs: three are free, then the legal most, and postage (R24)."""
    if not consumer or number <= law("free_reminders_a_year"):
        return 0
    fee = min(rules.fee.cents, int(law("reminder_fee_max_cents")))
    return fee + rules.postage.cents if by_post and fee else fee


def lump_sum_max_cents(debt_cents: int) -> int:
    """Return what the law lets ask at most, once the days without cost are over (R24): 20.00 to 150.00 of debt, then steps, 2,000.00 at most."""
    if debt_cents <= 0:
        return 0
    step = max((one for one in law("lump_sum_cents") if debt_cents > one["above"]), key=lambda one: one["above"])
    cents = int(step["cents"]) + money.times(debt_cents - step["above"], step["percent"], 100)
    return min(cents, int(law("lump_sum_max_cents")))


def may_call(state: DunningState, number: str, *, incoming: bool = False) -> bool:
    """Whether a call goes through: to an emergency number always; restricted lines are still called, suspended ones are silent (W9)."""
    if number in law("emergency_numbers"):
        return True
    if state is DunningState.RESTRICTED:
        return incoming
    return state not in {DunningState.SUSPENDED, DunningState.TERMINATED}


def may_use_mobile_data(state: DunningState) -> bool:
    """Whether mobile data flow."""
    return state not in {DunningState.RESTRICTED, DunningState.SUSPENDED, DunningState.TERMINATED}


def _resting(at: Situation, day: date) -> Rest | None:
    if at.closed:
        return Rest(Why.CLOSED)
    if at.deceased:
        return Rest(Why.DECEASED)
    if at.held_since and at.held_until and at.held_since <= day < at.held_until:
        return Rest(Why.HOLD, at.held_until)
    if at.announced_until and day < at.announced_until:
        return Rest(Why.ANNOUNCED, at.announced_until)
    return None


def _left_out(debts: Sequence[Debt], day: date) -> Why:
    """Say why nothing of what is late can be claimed."""
    late = [one for one in debts if one.due < day]
    if any(one.in_plan for one in debts):
        return Why.PLAN
    if any(one.disputed_cents for one in late):
        return Why.DISPUTE
    return Why.DIRECT_DEBIT if any(one.by_debit for one in late) else Why.NOTHING_LATE


def _next_rung(at: Situation, claimable: Sequence[Debt], rules: Dunning) -> int:
    """Number the next rung. A new episode about a debt that was followed up before goes on where it stood, at most at `resume_at`."""
    heights = [height(rung.step) for rung in rules.steps]
    if at.rung:
        return bisect_right(heights, height(at.rung))
    return min(bisect_right(heights, max(one.reached for one in claimable)), heights.index(height(rules.resume_at)))


def height(step: str) -> int:
    """Return how high a step stands on the ladder, from 0 on; the reminder of a missed due date does not."""
    return LADDER.index(step) if step in LADDER else -1


def _rung_due(at: Situation, claimable: Sequence[Debt], rung: int, rules: Dunning) -> Next | None:
    """Return when the next rung is due; none behind the last one, and none but the first before any bill had its own reminder."""
    if rung >= len(rules.steps):
        return None
    told = rules.steps[rung]
    first = min(ripe_on(one.due, rules) for one in claimable)
    days = [first] if at.rung_day is None else [first, _working(at.rung_day + timedelta(days=told.after_days))]
    if rung:
        reminded = [one.free_until for one in claimable if one.free_until]
        if not reminded:
            return None
        days.append(_working(min(reminded)))
    return Next(DunningStep(told.step), max(days))


def _missed_due(at: Situation, claimable: Sequence[Debt], rung: int, rules: Dunning) -> Next | None:
    """Return when the next bill that was never reminded of has its reminder; the first rung is that reminder itself."""
    waiting = [ripe_on(one.due, rules) for one in claimable if one.free_until is None]
    return Next(DunningStep.MISSED, min(waiting)) if waiting and (rung or at.rung) else None


def _claim(at: Situation, one: Debt, rules: Dunning, *, by_post: bool) -> Claim:
    if one.free_until is not None:
        return Claim(one.bill_id, one.bill_no, one.due, one.claimed_cents)
    number = missed_no(at.missed, one.due)
    fee = fee_cents(number, rules, consumer=at.consumer, by_post=by_post)
    return Claim(one.bill_id, one.bill_no, one.due, one.claimed_cents, number, fee)


def _working(day: date) -> date:
    """Return the day, or the first one after it, on which both banks and the house work: whoever wants to pay at once must be able to."""
    while next_banking_day(day) != day or not is_working_day(day):
        day += _DAY
    return day
