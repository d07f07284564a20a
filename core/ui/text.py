"""Words, amounts and dates in the language of the one who reads the screen."""

import re
from datetime import date, datetime
from html import escape

import streamlit as st

from core import i18n
from core.errors import DomainError

LANGUAGE = "_language"
_JOINED = "\u2060"
"""Not seen, and enough to keep an address from becoming a link of its own."""
_LINK = re.compile(r"(:(?=//)|@|www(?=\.))", re.IGNORECASE)
_INERT = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()#+-.!|~$:"} | {char: f"&#{ord(char)};" for char in "<>&"})


def language() -> str:
    """Return the reader's language: French until another one is chosen."""
    return str(st.session_state.get(LANGUAGE, i18n.DEFAULT))


def t(msgid: str, **params: object) -> str:
    """Translate a sentence, its parameters formatted."""
    return i18n.translate(language(), msgid, **params)


def tn(one: str, many: str, count: int, **params: object) -> str:
    """Translate the sentence for a count, which stands in it as `{count}`."""
    return i18n.translate_n(language(), one, many, count, **params)


def esc(text: str) -> str:
    """Make a text inert inside `st.html`."""
    return escape(text)


def md(text: str) -> str:
    """Make a text inert inside markdown, such as a button's label: no mark-up, no picture, no link of its own (S40)."""
    return _LINK.sub(rf"\1{_JOINED}", text).translate(_INERT)


def euro(cents: int) -> str:
    """Write an amount."""
    return i18n.money(cents, language())


def day(value: date, style: str = "date") -> str:
    """Write a day; see i18n.day for the styles."""
    return i18n.day(value, language(), style)


def moment(value: datetime, style: str = "date") -> str:
    """Write a moment in Brussels time."""
    return i18n.moment(value, language(), style)


def message(error: DomainError) -> str:
    """Write a refusal."""
    return t(error.message, **error.params)
