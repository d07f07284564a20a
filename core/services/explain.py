"""Why a bill is as high as it is: from the one before it to this one, step by step, each with its cause. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core import clock, i18n
from core.catalogue import Offering, Service, catalogue, law
from core.errors import N_
from core.models.bill import BillCategory, LineKind
from core.models.usage import UsageKind
from core.services.bill_words import label
from core.services.billing import BillDraft, Line
from core.services.periods import Period, Share

MB_PER_GB = 1000
_REGULAR = {LineKind.SUBSCRIPTION, LineKind.OPTION}
_BUNDLES = {"RATE_OOB_DATA": UsageKind.DATA, "RATE_OOB_VOICE": UsageKind.VOICE, "RATE_OOB_SMS": UsageKind.SMS}
_USED = {LineKind.USAGE, LineKind.THIRD_PARTY}


@dataclass(frozen=True)
class Told:
    """A sentence in English with its parameters, which the screen translates."""

    msgid: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One cause, and by how much it moves the amount, in cents."""

    label: Told
    cents: int


@dataclass(frozen=True)
class Paper:
    """A bill as far as its amount goes; `used_up` says by product and kind when a bundle was, where that is known."""

    bill_date: date
    lines: tuple[Line, ...]
    vat_cents: int
    total_cents: int
    business: bool = False
    category: BillCategory = BillCategory.NORMAL
    period: Period | None = None
    credited_cents: int = 0
    used_up: Mapping[tuple[int, UsageKind], datetime] = field(default_factory=dict)

    @classmethod
    def of_draft(cls, draft: BillDraft, used_up: Mapping[tuple[int, UsageKind], datetime] | None = None) -> "Paper":
        """Return a bill that is still to come."""
        told = (draft.bill_date, draft.lines, draft.vat_cents, draft.amount_due_cents, draft.business, draft.category, draft.period)
        return cls(*told, used_up=used_up or {})


@dataclass(frozen=True)
class Advice:
    """What would be cheaper, or isn't: the option, the line it belongs to, and whether it is worth its price."""

    sentence: Told
    code: str
    product_id: int | None
    group: Service | None
    worth_it: bool


@dataclass(frozen=True)
class Explanation:
    """How the amount of one bill became that of the next; the steps add up to the difference.

    Where nothing changed, `same_as` names the bill before, and the steps are the bill's own lines.
    """

    bill_date: date
    before_date: date | None
    before_cents: int
    steps: tuple[Step, ...]
    total_cents: int
    vat: Told
    sentences: tuple[Told, ...]
    advice: tuple[Advice, ...]
    same_as: date | None = None


def explain(after: Paper, before: Paper | None, *, plans: Mapping[int, str], language: str) -> Explanation:
    """Explain a bill by the one before it; without one, by its own lines. `plans` names the plan of each product."""
    steps = [step for step in _steps(after, before, language) if step.cents]
    sentences = (*_used_up(after, language), *_sentences(after, before), *_unchanged(after, before, language))
    advice = tuple(_advice(after, plans, language))
    if before and not steps:
        own = tuple(step for step in _steps(after, None, language) if step.cents)
        return Explanation(after.bill_date, None, 0, own, after.total_cents, _vat(after), sentences, advice, same_as=before.bill_date)
    start = before.total_cents if before else 0
    begun = before.bill_date if before else None
    return Explanation(after.bill_date, begun, start, tuple(steps), after.total_cents, _vat(after), sentences, advice)


def _vat(paper: Paper) -> Told:
    """Tell what of the amount is VAT; what third parties charge and what a reminder costs lie outside of it (R4, R5, R24)."""
    third = sum(line.amount_cents for line in paper.lines if line.kind is LineKind.THIRD_PARTY)
    penalty = sum(line.amount_cents for line in paper.lines if line.kind is LineKind.PENALTY)
    own = paper.total_cents - third - penalty
    figures = {
        "excl_cents": own - paper.vat_cents, "percent": law("vat_percent"), "vat_cents": paper.vat_cents, "own_cents": own, "third_cents": third,
        "penalty_cents": penalty, "outside_cents": third + penalty,
    }  # fmt: skip
    formula = N_("{excl_cents} + {vat_cents} VAT ({percent} %) = {own_cents}")
    if penalty:
        told = N_("{excl_cents} + {vat_cents} VAT ({percent} %) = {own_cents}; {penalty_cents} of reminder costs, outside VAT")
        both = N_(
            "{excl_cents} + {vat_cents} VAT ({percent} %) = {own_cents}; {outside_cents} of reminder costs and third parties, outside VAT"
        )
        return Told(both if third else told, figures)
    return Told(
        N_("{excl_cents} + {vat_cents} VAT ({percent} %) = {own_cents}; {third_cents} of third parties, outside VAT") if third else formula,
        figures,
    )


def _steps(after: Paper, before: Paper | None, language: str) -> Iterator[Step]:
    """Tell each cause once: what a product costs a month, its shares of a month, its usage, what third parties charge."""
    now, then = _grouped(after.lines), _grouped(before.lines if before else ())
    for key in sorted(now.keys() | then.keys(), key=_Rank([*now, *then])):
        difference = sum(line.amount_cents for line in now.get(key, ())) - sum(line.amount_cents for line in then.get(key, ()))
        yield Step(_cause(key, now.get(key, []), then.get(key, []), language, first=before is None), difference)
    if after.business:
        yield Step(Told(N_("VAT")), after.vat_cents - (before.vat_cents if before else 0))


Key = tuple[str, str, int | None, str | None]


def _grouped(lines: Sequence[Line]) -> dict[Key, list[Line]]:
    """Put together the lines of one cause: a product's full months, its shares, late use, and every other line by what it is."""
    found: dict[Key, list[Line]] = {}
    for line in lines:
        kind = "share" if line.kind in _REGULAR and line.share_days else ("month" if line.kind in _REGULAR else line.kind.value)
        if line.kind in _USED and line.since is not None:
            kind = "late"
        found.setdefault((kind, line.code, line.product_id, line.detail), []).append(line)
    return found


class _Rank:
    """Sorts causes as a reader expects them: what began or ended, shares, usage, single charges, given back, third parties."""

    _KINDS = ("share", "month", LineKind.USAGE, "late", LineKind.ONE_OFF, LineKind.ADJUSTMENT, LineKind.PENALTY, LineKind.THIRD_PARTY)

    def __init__(self, order: Sequence[Key]) -> None:
        self._places = {key: place for place, key in reversed(list(enumerate(order)))}

    def __call__(self, key: Key) -> tuple[int, int]:
        return self._KINDS.index(key[0]), self._places[key]


def _cause(key: Key, now: Sequence[Line], then: Sequence[Line], language: str, *, first: bool) -> Told:
    kind, code, _product, who = key
    line = (now or then)[0]
    what = _name(label(code, language, line.since, line.until), who)
    if kind == "month":
        return _month(what, now, then, language, first=first)
    if not now:
        return Told(N_("{what}: only on the bill before"), {"what": what})
    if kind in {"share", LineKind.ADJUSTMENT}:
        told = N_("{what}: {formula}") if kind == "share" else N_("{what}, given back: {formula}")
        return Told(told, {"what": what, "formula": _formula(line, language)})
    if kind in {LineKind.ONE_OFF, LineKind.PENALTY}:
        return Told(N_("{what}, once"), {"what": what})
    units: dict[str, object] = {"what": what, "quantity": _units(now, language)}
    more: dict[str, object]
    if kind == "late":
        told, more = (
            N_("{what}, used from {since} on, known only after the bill of that period: {quantity}, late, charged once"),
            {"since": line.since},
        )
    elif then:
        told, more = N_("{what}: {quantity} instead of {before}"), {"before": _units(then, language)}
    else:
        told, more = N_("{what}: {quantity} × {price_cents}"), {"price_cents": line.unit_price_cents}  # noqa: RUF001 - a multiplication sign
    return Told(told, units | more)


def _month(what: str, now: Sequence[Line], then: Sequence[Line], language: str, *, first: bool) -> Told:
    if first and now[0].since:
        return Told(N_("{what}: {month}"), {"what": what, "month": i18n.day(now[0].since, language, "month")})
    if not then:
        return Told(N_("{what}: new"), {"what": what})
    if not now:
        return Told(N_("{what}: ended"), {"what": what})
    if now[0].unit_price_cents != then[0].unit_price_cents:
        prices = {"before_cents": then[0].unit_price_cents, "after_cents": now[0].unit_price_cents}
        return Told(N_("{what}: the price changed from {before_cents} to {after_cents}"), {"what": what, **prices})
    return Told(N_("{what}: {months} months instead of {before}"), {"what": what, "months": len(now), "before": len(then)})


def how(line: Line, language: str) -> str:
    """Write how the amount of a line comes about: its share of a month, its quantity and rate, or the days it is for."""
    if line.share_days:
        return _formula(line, language)
    if line.unit in _UNITS and line.unit_price_cents:
        return f"{_units([line], language)} × {i18n.money(line.unit_price_cents, language)}"  # noqa: RUF001 - a multiplication sign
    if line.since and line.until and (line.until - line.since).days > 1:
        return f"{i18n.day(line.since, language, 'short')} – {i18n.day(line.until - timedelta(days=1), language, 'short')}"  # noqa: RUF001 - a dash between days
    return ""


def _sentences(after: Paper, before: Paper | None) -> Iterator[Told]:
    if after.category is BillCategory.TRANSITION and after.period:
        yield Told(
            N_(
                "Until now each bill ran from one anniversary day to the next. From now on it covers a calendar month. This one bill "
                "joins the two: the days from {since} to the end of that month, and the month after it; no day is charged twice. So "
                "there is no bill on {since}."
            ),
            {"since": after.period.since},
        )
    if before is None:
        yield Told(N_("A first bill holds the days since the start and the month ahead; the next ones hold one month."))
    regular = sum(line.amount_cents for line in after.lines if line.kind in _REGULAR and not line.share_days)
    if not after.business and regular != after.total_cents and regular:
        yield Told(N_("An ordinary month, without extras, comes to {regular_cents}."), {"regular_cents": regular})
    if after.credited_cents:
        yield Told(N_("{credited_cents} of this bill were credited since."), {"credited_cents": after.credited_cents})


def _used_up(after: Paper, language: str) -> Iterator[Told]:
    """Tell when a bundle was used up: from then on, use was charged."""
    for line in after.lines:
        at = after.used_up.get((line.product_id or 0, _BUNDLES[line.code])) if line.code in _BUNDLES else None
        if line.kind is LineKind.USAGE and line.since is None and at:
            told = N_("{what}: the bundle was used up on {on} at {time}; what came after is charged.")
            what = _name(label(line.code, language), line.detail)
            yield Told(told, {"what": what, "on": clock.local(at).date(), "time": i18n.clock_time(at)})


def _unchanged(after: Paper, before: Paper | None, language: str) -> Iterator[Told]:
    """Tell usage that came to the same on both bills, so that no step shows it."""
    now, then = _grouped(after.lines), _grouped(before.lines if before else ())
    for key, lines in now.items():
        same = sum(line.amount_cents for line in lines) == sum(line.amount_cents for line in then.get(key, ()))
        if same and key[0] in _USED:
            told = N_("{what}: {quantity} × {price_cents} on both bills.")  # noqa: RUF001 - a multiplication sign
            what = _name(label(lines[0].code, language), lines[0].detail)
            yield Told(told, {"what": what, "quantity": _units(lines, language), "price_cents": lines[0].unit_price_cents})


def _advice(after: Paper, plans: Mapping[int, str], language: str) -> Iterator[Advice]:
    """Compare what was paid outside a bundle with the monthly option that would have held it."""
    for line in after.lines:
        wanted = {"RATE_OOB_DATA": "data_mb", "RATE_FIX_PEAK": "peak_min", "RATE_OOB_VOICE": "voice_min"}.get(line.code)
        plan = plans.get(line.product_id or 0)
        if line.kind is not LineKind.USAGE or line.since is not None or wanted is None or plan is None:
            continue
        fitting = [
            option
            for option in catalogue().options_of(plan)
            if not option.one_shot and _holds(getattr(option.allowance, wanted), line.quantity)
        ]
        if not fitting or _runs(after, fitting, line.detail):
            continue
        option = min(fitting, key=lambda one: one.price_cents(after.bill_date))
        price = option.price_cents(after.bill_date)
        worth = price < line.amount_cents
        params = {"option": option.name(language), "price_cents": price, "paid_cents": line.amount_cents}
        said = N_("The option {option} ({price_cents} a month) would have avoided these {paid_cents}.")
        if not worth:
            said = N_("{used} cost {paid_cents}; the option {option} costs {price_cents} a month: it would not have been worth it.")
            params["used"] = _units([line], language)
        yield Advice(Told(said, params), option.code, line.product_id, option.group, worth)


def _runs(after: Paper, options: Sequence[Offering], who: str | None) -> bool:
    """Whether one of these options is on the bill already: it came too late for what was used, and needs no advice."""
    codes = {option.code for option in options}
    return any(line.kind in _REGULAR and line.code in codes and line.detail == who for line in after.lines)


def _holds(allowance: int | str | None, quantity: int) -> bool:
    return isinstance(allowance, str) or (allowance is not None and allowance >= quantity)


def _name(what: str, who: str | None) -> str:
    return f"{what}, {who}" if who else what


def _formula(line: Line, language: str) -> str:
    """Write "10,00 € x 13/30 (18/11 - 30/11)" of a line; its amount stands beside it."""
    if line.since is None or line.until is None:
        return i18n.money(line.unit_price_cents, language)
    days = (line.until - line.since).days
    parts = (line.share_days or days, line.month_days or days)
    return Share(line.amount_cents, *parts, line.unit_price_cents, line.since, line.until).sum_of(language)


_UNITS = {"megabyte": N_("{count} MB"), "minute": N_("{count} min")}


def _units(lines: Sequence[Line], language: str) -> str:
    count = sum(line.quantity for line in lines)
    return i18n.translate(language, _UNITS[lines[0].unit], count=count) if lines[0].unit in _UNITS else i18n.number(count, language)
