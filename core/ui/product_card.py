"""The card of one plan: what it is, what was used of it, and the way to its options."""

from datetime import date

import streamlit as st

from core.actor import Permission
from core.catalogue import Service, catalogue
from core.errors import N_
from core.models.product import ProductStatus
from core.services.consumption import Consumption, Counter, Gauge, LineUse
from core.services.products import Held
from core.services.usage_numbers import national
from core.ui import counters, history, navigation, option_drawer, settings_drawer
from core.ui.gate import Visit
from core.ui.parts import Mark, Meter, card, draw, head, meters, note, tags
from core.ui.text import day, euro, language, t, tn

_GROUPS = {
    Service.TV: (N_("TV options"), "tv"),
    Service.INTERNET: (N_("Internet options"), "wifi"),
    Service.PHONE: (N_("Phone options"), "call"),
    Service.MOBILE: (N_("Mobile options"), "tune"),
}
_SERVICES = {Service.INTERNET: N_("Internet"), Service.TV: N_("TV"), Service.PHONE: N_("fixed line"), Service.MOBILE: N_("mobile")}


def show(visit: Visit, plan: Held, use: LineUse, consumption: Consumption) -> None:
    """Draw the card."""
    with card(f"product-{plan.product_no}", stretch=True):
        lines = [_meter(gauge, consumption) for gauge in use.gauges if _told(gauge)]
        draw(
            head(
                plan.offering.name(language()),
                3,
                marks=[*navigation.found_mark(plan.line, plan.product_no), *_states(plan, use)],
                end=euro(plan.price_cents),
                unit=t("/month"),
            ),
            note(_who(plan)),
            meters(lines) or note(t("Nothing used yet in this period.")),
            tags([_option(one, plan) for one in plan.options]),
        )
        _buttons(visit, plan)


def _states(plan: Held, use: LineUse) -> list[Mark]:
    found: list[Mark] = []
    if plan.status is ProductStatus.SUSPENDED:
        found.append(Mark(t("Suspended"), "bad", "block"))
    if use.blocked:
        word = t("Blocked, but for the volume added") if use.added_left else t("Blocked by its cap")
        found.append(Mark(word, "bad", "block"))
    elif use.over_cents:
        found.append(Mark(t("Over bundle"), "bad", "trending_up"))
    elif use.slowed:
        found.append(Mark(t("Slowed down"), "watch", "speed"))
    elif use.nearly_used_up:
        found.append(Mark(t("Nearly used up"), "watch", "hourglass_bottom"))
    return found


def _who(plan: Held) -> str:
    number = national(plan.line) if plan.line else ""
    if plan.offering.services == (Service.MOBILE,):
        return " · ".join(part for part in (plan.user_name or "", number, t("minor") if plan.is_minor else "") if part)
    words = [t(_SERVICES[service]) for service in plan.offering.services]
    return " · ".join([*words[:-1], f"{words[-1]} {number}" if number else words[-1]])


def _told(gauge: Gauge) -> bool:
    return bool(gauge.used) or gauge.bundle is not None or gauge.counter in {Counter.INTERNET, Counter.DATA, Counter.CALLS}


def _meter(gauge: Gauge, consumption: Consumption) -> Meter:
    label, used = t(counters.LABELS[gauge.counter]), counters.quantity(gauge.counter, gauge.used)
    if gauge.counter in {Counter.PREMIUM, Counter.ABROAD}:
        apart = t("{used} from third parties, on your bill apart", used=used)
        told = apart if gauge.counter is Counter.PREMIUM else t("{used}, outside every bundle", used=used)
        return Meter(label, euro(gauge.charged_cents), note=told, note_tone="warn")
    if gauge.counter is Counter.PEAK:
        formula = t(
            "{used} × {price_cents} = {amount_cents}", used=used, price_cents=_rate("RATE_FIX_PEAK"), amount_cents=gauge.charged_cents
        )
        return Meter(label, used, note=formula if gauge.charged_cents else "")
    if gauge.bundle is None or gauge.share is None:
        free = gauge.counter is Counter.OFFPEAK
        return Meter(label, f"{used} · {t('free') if free else t('unlimited')}" if gauge.counter is not Counter.TELEVISION else used)
    value = f"{counters.bare(gauge.counter, gauge.used)} / {counters.quantity(gauge.counter, gauge.bundle)}"
    if gauge.over_cents:
        included = gauge.used - gauge.over
        if included < gauge.bundle:  # The bundle grew after the line had passed it: what was charged stays charged.
            value = f"{counters.bare(gauge.counter, included)} / {counters.quantity(gauge.counter, gauge.bundle)}"
            return Meter(label, value, included / gauge.bundle, note=_over_note(gauge), note_tone="bad")
        return Meter(label, value, gauge.bundle / gauge.used, over=True, note=_over_note(gauge), note_tone="bad")
    over_soon = gauge.forecast is not None and gauge.forecast > gauge.bundle
    watch = gauge.share >= 0.8 or over_soon  # noqa: PLR2004 - the first legal alert step
    tick = gauge.forecast / gauge.bundle if gauge.forecast and not over_soon else None
    tone = "bad" if gauge.share >= 1 else ("warn" if watch else "accent")
    return Meter(label, value, gauge.share, tone, tick=tick, note=_pace_note(gauge, consumption), note_tone="warn" if watch else "")  # type: ignore[arg-type]


def _over_note(gauge: Gauge) -> str:
    code = {Counter.DATA: "RATE_OOB_DATA", Counter.CALLS: "RATE_OOB_VOICE", Counter.TEXTS: "RATE_OOB_SMS"}[gauge.counter]
    return t(
        "{over} over bundle × {price_cents} = {amount_cents}",
        over=counters.quantity(gauge.counter, gauge.over), price_cents=_rate(code), amount_cents=gauge.over_cents,
    )  # fmt: skip


def _pace_note(gauge: Gauge, consumption: Consumption) -> str:  # noqa: PLR0911 - one sentence for each case
    if gauge.counter is Counter.ADDED:
        return t("used once the bundle is empty, until the period ends")
    if gauge.share is None or gauge.bundle is None:
        return ""
    if gauge.share >= 1:
        return tn("used up · {count} day until the new period", "used up · {count} days until the new period", consumption.days_left + 1)
    if gauge.forecast is None:
        return t("forecast from the 4th day on")
    if gauge.forecast > gauge.bundle:
        return t(
            "{percent} % · forecast {forecast}, beyond the bundle",
            percent=int(gauge.share * 100),
            forecast=counters.quantity(gauge.counter, gauge.forecast),
        )
    if gauge.counter in {Counter.DATA, Counter.INTERNET}:
        forecast = counters.quantity(gauge.counter, gauge.forecast)
        return tn(
            "{count} day left · forecast {forecast}", "{count} days left · forecast {forecast}", consumption.days_left, forecast=forecast
        )
    return ""


def _option(option: Held, plan: Held) -> str:
    count = plan.count(option.code)
    name = option.offering.name(language())
    if count > 1:
        name = f"{name} {option.ordinal}"
    return t("{option} until {last}", option=name, last=_last(option.until)) if option.until else name


def _last(until: date) -> str:
    return day(date.fromordinal(until.toordinal() - 1), "short")


def _buttons(visit: Visit, plan: Held) -> None:
    may = visit.actor.may(Permission.ORDER_WRITE)
    with st.container(horizontal=True, gap="xsmall", key=f"buttons-{plan.product_no}"):
        for service in plan.offering.services:
            label, icon = _GROUPS[service]
            if st.button(t(label), key=f"home:options:{plan.product_no}:{service}", icon=f":material/{icon}:"):
                option_drawer.open_(plan, service)
        if Service.TV in plan.offering.services and may:
            decoder = st.button(t("Extra TV decoder"), key=f"home:decoder:add:{plan.product_no}", icon=":material/add:")
            if decoder:
                option_drawer.open_decoder(plan.product_no)
        if st.button(t("Compare"), key=f"home:history:{plan.product_no}", icon=":material/bar_chart:", type="tertiary"):
            history.open_(plan.id, " · ".join([plan.offering.name(language()), _who(plan)]))
        settings_drawer.button(plan)


def _rate(code: str) -> int:
    return catalogue().rates[code].cents
