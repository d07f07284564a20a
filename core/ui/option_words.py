"""How a change of options is told: its review, its price, its answer, and what can still be undone."""

from core import i18n
from core.catalogue import Offering, catalogue
from core.errors import N_
from core.services.billing import Line
from core.services.option_reviews import Review, Start
from core.services.order_undo import Undoable
from core.services.periods import Share
from core.ui.text import day, euro, language, t

NOTHING = N_("nothing")


def facts(review: Review) -> list[tuple[str, str]]:
    """Write a review: the same rows in the same order for every change (W3); calls of the fixed line only where their price changes."""
    calls = [(t("Calls of the fixed line"), _calls(*review.peak_free))] if review.peak_free else []
    return [
        (t("Price"), price(review)),
        (t("Bill of {bill_date}", bill_date=day(review.bill_date, "short")), _charges(review)),
        (t("Monthly total"), _total(review)),
        (t("Takes effect"), _start(review)),
        (t("Volume added"), _volume(review)),
        *calls,
        (t("Replaces"), ", ".join(one.offering.name(language()) for one in review.replaced) or t(NOTHING)),
        (t("Minimum term"), t("no minimum term")),
        (t("Can be undone"), _undo(review)),
    ]


def price(review: Review) -> str:
    """Write what an option costs, and with or without VAT."""
    if not review.price_cents:
        return t("free")
    vat = t("VAT included") if review.vat_included else t("VAT excluded")
    sentence = N_("{price_cents} once, {vat}") if review.option.one_shot else N_("{price_cents} a month, {vat}")
    return t(sentence, price_cents=review.price_cents, vat=vat)


def short_price(cents: int, *, once: bool) -> str:
    """Write a price for the end of a row."""
    if not cents:
        return t("free")
    return t("{price_cents} once", price_cents=cents) if once else f"{euro(cents)} {t('/month')}"


def title(review: Review) -> str:
    """Say what is being reviewed."""
    if not review.turn_on:
        return t("Switch off “{option}”", option=review.option)
    return t("Order “{option}”", option=review.option) if review.price_cents else t("Switch on “{option}”", option=review.option)


def change(one: Undoable) -> str:
    """Say what a change did, or will do."""
    if one.on and one.off:
        return t("“{option}” instead of “{other}”", option=one.on, other=one.off)
    if one.on:
        return t("“{option}” ordered", option=one.on) if one.withdraws else t("“{option}” switched on", option=one.on)
    return t("“{option}” switched off", option=one.off)


def change_facts(one: Undoable) -> str:
    """Say on which plan, by whom and when a change was made, and until when it can be undone."""
    words = [
        " · ".join(part for part in (one.plan.name(language()), one.who) if part),
        t("order {order_no}", order_no=one.order_no),
        t("{at} by {who}", at=i18n.moment(one.created_at, language(), "short"), who=one.created_by),
    ]
    if one.why_not is not None:
        words.append(t(one.why_not.message, **one.why_not.params))
    elif one.until_at is None:
        words.append(t("on its way, expected on {day}", day=day(one.effective_on, "short")))
    elif one.withdraws:
        words.append(t("takes effect on {day}, can be withdrawn until then", day=day(one.effective_on, "short")))
    else:
        words.append(t("can be undone until {time}", time=i18n.clock_time(one.until_at)))
    return " · ".join(words)


def ordered(option: Offering, order_no: str, *, turn_on: bool) -> str:
    """Answer a confirmed order."""
    sentence = (
        N_("“{option}” is ordered. Order no. {order_no}.") if turn_on else N_("“{option}” will be switched off. Order no. {order_no}.")
    )
    return t(sentence, option=option, order_no=order_no)


def megabytes(amount: int) -> str:
    """Write a volume in MB."""
    return t("{amount} MB", amount=amount)


def _charges(review: Review) -> str:
    if not review.lines:
        return t("nothing more") if review.turn_on else t("nothing given back, nothing charged")
    return " + ".join(_charge(line) for line in review.lines)


def _charge(line: Line) -> str:
    if line.since is None or line.until is None:
        return euro(line.amount_cents)
    if line.month_days is None or line.share_days is None:
        days = (line.until - line.since).days
        whole = Share(line.amount_cents, days, days, line.unit_price_cents, line.since, line.until)
        return euro(line.amount_cents) if line.kind == "oneOff" else whole.formula(language())
    back = line.amount_cents < 0
    share = Share(
        abs(line.amount_cents), line.share_days, line.month_days, line.unit_price_cents, line.since, line.until
    ).formula(language())  # fmt: skip
    return t("given back: {share}", share=share) if back else share


def _total(review: Review) -> str:
    if review.month_before_cents == review.month_after_cents:
        return t("{before_cents}, unchanged", before_cents=review.month_before_cents)
    return f"{euro(review.month_before_cents)} → {euro(review.month_after_cents)}"


def _start(review: Review) -> str:
    if review.start is Start.TWO_HOURS and review.effective_at:
        return t("within two hours, at {time} at the latest", time=i18n.clock_time(review.effective_at))
    if review.start is Start.DELIVERED:
        return t("on delivery, about {day}; charged from that day on", day=day(review.effective_on, "short"))
    if review.start is Start.PERIOD_END:
        last = review.effective_on.fromordinal(review.effective_on.toordinal() - 1)
        return t("on {day}; usable until {last}", day=day(review.effective_on, "short"), last=day(last, "short"))
    return t("at once")


def _calls(before: bool, after: bool) -> str:  # noqa: FBT001 - before and after, side by side
    """Say what a swap makes cheaper and what dearer, by the hour of the day."""
    rate = t("{price_cents} a minute", price_cents=catalogue().rates["RATE_FIX_PEAK"].cents)
    free = t("free")
    return t(
        "in peak hours {before} → {after}; evenings and weekends stay free", before=free if before else rate, after=free if after else rate
    )  # fmt: skip


def _volume(review: Review) -> str:
    volume = review.volume
    if volume is None or not review.turn_on:
        return t(NOTHING)
    if volume.unlimited_calls:
        return t("unlimited calls")
    if not volume.later_mb:
        last = review.period_until.fromordinal(review.period_until.toordinal() - 1)
        return t("{now} until {last}", now=megabytes(volume.now_mb), last=day(last, "short"))
    added = t("{now} in this period, then {later}", now=megabytes(volume.now_mb), later=megabytes(volume.later_mb))
    return f"{added} · {t('what was charged above the bundle before stays charged')}"


def _undo(review: Review) -> str:
    if review.undo_until_at is None:
        return t("until it is delivered")
    if review.start is Start.PERIOD_END:
        return t("until {moment}", moment=i18n.moment(review.undo_until_at, language(), "short"))
    return t("today until {time}, if nothing was used", time=i18n.clock_time(review.undo_until_at))
