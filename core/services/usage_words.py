"""How use is said: kinds, zones and tariffs as msgids, lines and quantities in a language."""

from babel import lists

from core import i18n
from core.catalogue import catalogue
from core.errors import N_
from core.models.usage import Direction, Tariff, UsageKind, Zone
from core.services.usage_detail import Line, Row, Unit

KINDS = {
    UsageKind.DATA: N_("Data"),
    UsageKind.VOICE: N_("Calls"),
    UsageKind.SMS: N_("Texts"),
    UsageKind.MMS: N_("Picture messages"),
    UsageKind.PREMIUM: N_("Premium services"),
    UsageKind.TV: N_("Television"),
}
_ONE = {
    UsageKind.VOICE: {Direction.OUT: N_("Call"), Direction.IN: N_("Call received")},
    UsageKind.SMS: {Direction.OUT: N_("Text message"), Direction.IN: N_("Text received")},
    UsageKind.MMS: {Direction.OUT: N_("Picture message"), Direction.IN: N_("Picture message received")},
}
_PREMIUM = {Unit.PIECE: N_("Premium text"), Unit.SECOND: N_("Premium call")}
DIRECTIONS = {Direction.OUT: N_("Outgoing"), Direction.IN: N_("Incoming")}
ZONES = {Zone.NATIONAL: N_("Belgium"), Zone.EU: N_("European Union"), Zone.WORLD: N_("World"), Zone.PREMIUM: N_("Premium numbers")}
TARIFFS = {
    Tariff.INCLUDED: N_("in the bundle"),
    Tariff.OFFPEAK: N_("off-peak"),
    Tariff.PEAK: N_("peak hours"),
    Tariff.OVER: N_("out of bundle"),
    Tariff.THIRD_PARTY: N_("third party"),
    Tariff.FREE: N_("free of charge"),
    Tariff.WORLD: N_("outside the EU"),
}
UNITS = {Unit.KB: N_("MB"), Unit.SECOND: N_("s"), Unit.PIECE: N_("pieces")}
KB_PER_MB, KB_PER_GB = 1000, 1_000_000
GB_FROM_KB = 100 * KB_PER_GB
"""From here on, megabytes are too many digits to read."""
MINUTE, HOUR = 60, 3600


def event(row: Row) -> str:
    """Return the msgid of what one event is: a call, a call received, a premium text."""
    if row.kind is UsageKind.PREMIUM:
        return _PREMIUM[row.unit]
    return _ONE[row.kind][row.direction] if row.kind in _ONE else KINDS[row.kind]


def line(used: Line, language: str) -> str:
    """Write who uses a line and its number, or what it is: "Noa · 0470 00 00 12"."""
    return " · ".join(part for part in (short_line(used, language), used.number) if part)


def short_line(used: Line, language: str) -> str:
    """Write who uses a line, or what it is."""
    known = catalogue().offerings
    return used.user_name or (known[used.offering_code].name(language) if used.offering_code in known else used.offering_code)


def quantity(unit: Unit, amount: int, language: str) -> str:
    """Write a quantity as people read it: "84,5 MB", "6 min 12 s", "1"."""
    if unit is Unit.KB:
        if amount >= GB_FROM_KB:
            return f"{i18n.decimal(amount / KB_PER_GB, language)} {i18n.translate(language, 'GB')}"
        return f"{i18n.decimal(amount / KB_PER_MB, language, 1 if amount < KB_PER_GB else 0)} {i18n.translate(language, UNITS[unit])}"
    if unit is Unit.PIECE:
        return i18n.number(amount, language)
    if amount >= HOUR:
        return i18n.translate(language, "{hours} h {minutes} min", hours=amount // HOUR, minutes=f"{amount % HOUR // MINUTE:02d}")
    minutes, seconds = divmod(amount, MINUTE)
    if not minutes:
        return i18n.translate(language, "{seconds} s", seconds=seconds)
    return i18n.translate(language, "{minutes} min {seconds} s", minutes=minutes, seconds=f"{seconds:02d}")


def total(kind: UsageKind, events: int, amount: int, language: str) -> str:
    """Write what the events of a kind add up to; premium services are counted, as some last and some do not."""
    unit = {UsageKind.DATA: Unit.KB, UsageKind.VOICE: Unit.SECOND, UsageKind.TV: Unit.SECOND}.get(kind, Unit.PIECE)
    return quantity(unit, events if kind is UsageKind.PREMIUM else amount, language)


def place(zone: Zone, country: str | None, language: str) -> str:
    """Write where it was, with the country where that says more."""
    named = i18n.translate(language, ZONES[zone])
    known = i18n.babel_locale(language).territories.get(country or "")
    return f"{named} ({known})" if known else named


def sentence(kinds: list[tuple[UsageKind, int, int]], language: str) -> str:
    """Write what was used of each kind (kind, events, quantity) in one breath: "12 minutes and 120 MB"."""
    parts = []
    for kind, events, amount in kinds:
        if kind is UsageKind.VOICE:
            parts.append(i18n.translate_n(language, "{count} minute", "{count} minutes", -(-amount // MINUTE)))
        elif kind is UsageKind.SMS:
            parts.append(i18n.translate_n(language, "{count} text", "{count} texts", amount))
        elif kind is UsageKind.DATA:
            parts.append(quantity(Unit.KB, amount, language))
        else:
            parts.append(f"{total(kind, events, amount, language)} ({i18n.translate(language, KINDS[kind])})")
    return str(lists.format_list(parts, locale=i18n.babel_locale(language)))
