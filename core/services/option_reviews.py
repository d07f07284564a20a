"""What a change would do, before anybody confirms it: the review of W3. Pure: the same facts give the same review."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from core import clock
from core.catalogue import UNLIMITED, Offering, law
from core.services import billing, option_rules, slots
from core.services.billing import Account, Coverage, Line
from core.services.option_rules import Situation
from core.services.periods import Period
from core.services.products import Held, month_cents
from core.services.rating import KB_PER_MB, Running, bundle


class Effective(StrEnum):
    """When a recurring option stops: the choice that staff have (W3)."""

    PERIOD_END = "periodEnd"
    NOW = "now"


class Start(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    TWO_HOURS = "twoHours"
    DELIVERED = "delivered"
    PERIOD_END = "periodEnd"


@dataclass(frozen=True)
class Setting:
    """All that a review is made from: who asks for what in which situation, and how he is billed."""

    at: Situation
    account: Account
    previous: Coverage | None
    plans: tuple[Held, ...]
    now: datetime

    @property
    def today(self) -> date:
        """The day of the review in Brussels."""
        return clock.local(self.now).date()

    @property
    def period(self) -> Period:
        """The period that is running, and paid ahead."""
        return billing.paid_ahead(self.account, self.today)


@dataclass(frozen=True)
class Volume:
    """Data that an option adds: in this period and in each full one, in MB; a one-shot has no later ones. `unlimited` are minutes."""

    now_mb: int = 0
    later_mb: int = 0
    unlimited_calls: bool = False


@dataclass(frozen=True)
class Review:
    """A change as it is shown before it is confirmed; amounts in cents, with VAT for consumers and without for businesses.

    `lines` is what the next bill will hold for what changes: shares with their formula, negative where something is given back.
    `peak_free` says whether calls of the fixed line in peak hours are free before and after, where that changes: a swap makes one of both dearer.
    """

    option: Offering
    turn_on: bool
    version: int
    price_cents: int
    vat_included: bool
    bill_date: date
    lines: tuple[Line, ...]
    month_before_cents: int
    month_after_cents: int
    start: Start
    effective_on: date
    effective_at: datetime | None
    period_until: date
    undo_until_at: datetime | None
    replaced: tuple[Held, ...]
    ended: Held | None
    volume: Volume | None
    peak_free: tuple[bool, bool] | None = None

    @property
    def charge_cents(self) -> int:
        """What the next bill changes by what it holds for this option; negative is given back."""
        return sum(line.amount_cents for line in self.lines)


def turning_on(setting: Setting, code: str) -> Review:
    """Review an option to be added. Raises a refusal of option_rules."""
    at, option, today = setting.at, setting.at.sold.offerings.get(code), setting.today
    replaced = option_rules.switch_on(at, code)
    assert option is not None  # noqa: S101 - switch_on refused an unknown one
    start = Start({"two_hours": Start.TWO_HOURS, "delivered": Start.DELIVERED}.get(option.starts, Start.NOW))
    since = delivery_day(today) if start is Start.DELIVERED else today
    added = billing.Held(code, since, setting.period.until if option.one_shot else None)
    lines = [*_charged(setting, added), *(line for one in replaced for line in _stopped(setting, one, today))]
    price = _price(setting, option)
    before = month_cents(setting.plans)
    after = before - sum(one.price_cents for one in replaced if one.stays) + (0 if option.one_shot else price)
    return _review(
        setting, option, turn_on=True, price=price, lines=lines, month=(before, after), start=start, effective_on=since, replaced=replaced,
        volume=_volume(setting, option, since),
    )  # fmt: skip


def turning_off(setting: Setting, code: str, effective: Effective) -> Review:
    """Review an option to be ended: what costs nothing at once, the rest when `effective` says. Raises a refusal of option_rules."""
    ended = option_rules.switch_off(setting.at, code)
    option = ended.offering
    start = Start.NOW if option.ends == "now" or effective is Effective.NOW else Start.PERIOD_END
    until = setting.today if start is Start.NOW else setting.period.until
    before = month_cents(setting.plans)
    return _review(
        setting, option, turn_on=False, price=ended.price_cents, lines=_stopped(setting, ended, until), start=start, effective_on=until,
        month=(before, before - ended.price_cents), ended=ended,
    )  # fmt: skip


def delivery_day(today: date) -> date:
    """Return the day on which a parcel sent today arrives."""
    return slots.working_day_after(today, law("decoder_parcel_working_days"))


def end_of(day: date) -> datetime:
    """Return 23:59 of a day in Brussels: until then a change of that day can be undone."""
    return clock.at(day, 23, 59)


def _review(
    setting: Setting,
    option: Offering,
    *,
    turn_on: bool,
    price: int,
    lines: list[Line],
    month: tuple[int, int],
    start: Start,
    effective_on: date,
    replaced: tuple[Held, ...] = (),
    ended: Held | None = None,
    volume: Volume | None = None,
) -> Review:
    undo_until = {Start.DELIVERED: None, Start.PERIOD_END: end_of(effective_on - timedelta(days=1))}
    return Review(
        option=option,
        turn_on=turn_on,
        version=setting.at.plan.version,
        price_cents=price,
        vat_included=not setting.account.business,
        bill_date=_bill_date(setting),
        lines=tuple(lines),
        month_before_cents=month[0],
        month_after_cents=month[1],
        start=start,
        effective_on=effective_on,
        effective_at=setting.now + timedelta(hours=law("phone_option_hours")) if start is Start.TWO_HOURS else None,
        period_until=setting.period.until,
        undo_until_at=undo_until.get(start, end_of(setting.today)),
        replaced=replaced,
        ended=ended,
        volume=volume,
        peak_free=_peak_free(setting, option if turn_on else None, [*replaced, *([ended] if ended else [])]),
    )


def _peak_free(setting: Setting, added: Offering | None, gone: Sequence[Held]) -> tuple[bool, bool] | None:
    """Return whether peak hours are free before and after a change; None where they stay what they are."""
    kept = [one.offering for one in setting.at.plan.options if one not in gone]
    before = any(one.offering.allowance.peak_min == UNLIMITED for one in setting.at.plan.options)
    after = any(one.allowance.peak_min == UNLIMITED for one in [*kept, *([added] if added else [])])
    return (before, after) if before != after else None


def _bill_date(setting: Setting) -> date:
    return billing.next_bill_date(setting.account, setting.previous, setting.today)


def _price(setting: Setting, option: Offering) -> int:
    return billing.price_cents(option.code, setting.today, business=setting.account.business, sold=setting.at.sold)


def _charged(setting: Setting, held: billing.Held) -> list[Line]:
    """Return what the next bill asks for something, from the function that makes the bill."""
    draft = billing.preview(
        account=setting.account, held=[held], bill_date=_bill_date(setting), previous=setting.previous, sold=setting.at.sold
    )
    return list(draft.lines)


def _stopped(setting: Setting, one: Held, until: date) -> list[Line]:
    """Return what the next bill holds for an option that stops on a day."""
    return _charged(setting, billing.Held(one.code, one.since, until, one.id))


def _volume(setting: Setting, option: Offering, since: date) -> Volume | None:
    """Return what an option adds, as rating will count it."""
    allowance = option.allowance
    if allowance.voice_min == UNLIMITED:
        return Volume(unlimited_calls=True)
    if not isinstance(allowance.data_mb, int):
        return None
    plan, period = setting.at.plan, setting.period
    base = Running(plan.code, plan.since, plan.until)
    without = bundle(base, [], period, setting.at.sold).data_kb
    with_it = bundle(base, [Running(option.code, since)], period, setting.at.sold).data_kb
    if without is None or with_it is None:
        return None
    return Volume(now_mb=(with_it - without) // KB_PER_MB, later_mb=0 if option.one_shot else allowance.data_mb)
