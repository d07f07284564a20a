"""Words, amounts and dates in the reader's language. English is the msgid; `locales/<language>/*.po` hold the others, read live."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from time import monotonic

from babel import Locale, dates, numbers
from babel.messages.pofile import read_po

from core.clock import BRUSSELS

LANGUAGES = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}
DEFAULT = "fr"
LOCALES = Path(__file__).resolve().parent.parent / "locales"
_BABEL = {"fr": "fr_BE", "nl": "nl_BE", "de": "de_BE", "en": "en_BE"}

_MINUS = "\N{MINUS SIGN}"
Value = object
Catalogue = dict[str, str | tuple[str, ...]]
LOOK_EVERY_SECONDS = 1.0
"""A page writes a hundred sentences: looking at the files for each of them cost a third of its time."""

_latest: dict[str, tuple[float, Catalogue]] = {}


def catalogue(language: str) -> Catalogue:
    """Return all translations of a language, msgid to text; a changed .po file is read again within a second."""
    looked_at, found = _latest.get(language, (-LOOK_EVERY_SECONDS, {}))
    now = monotonic()
    if now - looked_at >= LOOK_EVERY_SECONDS:
        found = _changed(language)
        _latest[language] = now, found
    return found


def _changed(language: str) -> Catalogue:
    files = tuple((path, path.stat().st_mtime_ns) for path in sorted((LOCALES / language).glob("*.po")))
    return _read(language, files)


@lru_cache(maxsize=16)
def _read(language: str, files: tuple[tuple[Path, int], ...]) -> Catalogue:
    found: Catalogue = {}
    for path, _changed in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if not message.id or not message.string:
                    continue
                if isinstance(message.id, str):
                    found[message.id] = str(message.string)
                else:
                    found[message.id[0]] = tuple(str(text) for text in message.string)
    return found


def translate(language: str, msgid: str, **params: Value) -> str:
    """Return a sentence in a language, its parameters formatted; an untranslated one stays English."""
    found = msgid if language == "en" else catalogue(language).get(msgid, msgid)
    text = found if isinstance(found, str) else found[0]
    return _fill(text, language, params)


def translate_n(language: str, one: str, many: str, count: int, **params: Value) -> str:
    """Return the sentence for a count; `{count}` holds it. French counts 0 as one."""
    single = count in {0, 1} if language == "fr" else count == 1
    found = None if language == "en" else catalogue(language).get(one)
    text = (found[0] if single else found[-1]) if isinstance(found, tuple) else (one if single else many)
    return _fill(text, language, {"count": count, **params})


def _fill(text: str, language: str, params: dict[str, Value]) -> str:
    return text.format(**{name: show(language, name, value) for name, value in params.items()}) if params else text


def show(language: str, name: str, value: Value) -> str:
    """Format one parameter by its type and name: `*_cents` is money, a date a day, a datetime a moment, an int a number.

    What has `names` by language, as an offering does, is written by its name.
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return shown_money(value, language) if name.endswith("cents") else number(value, language)
    if isinstance(value, datetime):
        return moment(value, language)
    if isinstance(value, date):
        return day(value, language)
    names = getattr(value, "names", None)
    return str(names[language]) if isinstance(names, dict) else str(value)


def babel_locale(language: str) -> Locale:
    """Return the Belgian locale of a language."""
    return Locale.parse(_BABEL[language])


@lru_cache(maxsize=4096)
def money(cents: int, language: str) -> str:
    """Write cents as euros: 124000 is "1 240,00 €" in French."""
    return numbers.format_currency(Decimal(cents) / 100, "EUR", locale=_BABEL[language])


def percent(share: float, language: str) -> str:
    """Write a share of one: 0.26 is "26 %" in French, with a space that breaks no line."""
    return numbers.format_percent(share, locale=_BABEL[language])


def shown_money(cents: int, language: str) -> str:
    """Write cents as the screen does: with the typographic minus, which no line break parts from its amount."""
    return money(cents, language) if cents >= 0 else signed_money(cents, language)


def signed_money(cents: int, language: str) -> str:
    """Write a difference with its sign: "+ 62,00 €"."""
    return f"{_MINUS if cents < 0 else '+'}\N{NO-BREAK SPACE}{money(abs(cents), language)}"


@lru_cache(maxsize=4096)
def number(value: int, language: str) -> str:
    """Write a whole number with its thousands apart."""
    return numbers.format_decimal(value, locale=_BABEL[language])


@lru_cache(maxsize=4096)
def decimal(value: float, language: str, digits: int = 1) -> str:
    """Write a number with at most so many decimals."""
    return numbers.format_decimal(round(value, digits), format="#,##0." + "#" * digits, locale=_BABEL[language])


_PATTERNS = {
    "short": {"fr": "dd/MM", "nl": "dd/MM", "de": "dd.MM.", "en": "dd/MM"},
    "date": {"fr": "dd/MM/y", "nl": "dd/MM/y", "de": "dd.MM.y", "en": "dd/MM/y"},
    "weekday": {"fr": "EEE dd/MM", "nl": "EEE dd/MM", "de": "EEE dd.MM.", "en": "EEE dd/MM"},
    "long": {"fr": "d MMMM y", "nl": "d MMMM y", "de": "d. MMMM y", "en": "d MMMM y"},
    "full": {"fr": "EEEE d MMMM y", "nl": "EEEE d MMMM y", "de": "EEEE, d. MMMM y", "en": "EEEE d MMMM y"},
    "month_short": {"fr": "LLL y", "nl": "LLL y", "de": "LLL y", "en": "LLL y"},
    "month": {"fr": "LLLL y", "nl": "LLLL y", "de": "LLLL y", "en": "LLLL y"},
}


@lru_cache(maxsize=4096)
def day(value: date, language: str, style: str = "date") -> str:
    """Write a day: style short 18/11, date 18/11/2026, weekday "mer. 18/11", long, full (with the weekday), month or month_short."""
    return dates.format_date(value, _PATTERNS[style][language], locale=_BABEL[language])


def clock_time(value: datetime) -> str:
    """Write the Brussels time of a moment: 10:00."""
    return value.astimezone(BRUSSELS).strftime("%H:%M")


def moment(value: datetime, language: str, style: str = "date") -> str:
    """Write a moment in Brussels time: 18/11/2026 10:00."""
    return f"{day(value.astimezone(BRUSSELS).date(), language, style)} {clock_time(value)}"
