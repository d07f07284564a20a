"""Words, amounts and dates in the language of the one who reads the screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from html import escape

import streamlit as st

from core import i18n
from core.errors import DomainError

LANGUAGE = "_language"
_JOINED = "\u2060"
"""Not seen, and enough to keep an address from becoming a link of its own."""
_LINK = re.compile(r"(:(?=//|material/|streamlit:)|@|www(?=\.))", re.IGNORECASE)
_LINE_END = re.compile(r"[^\S\xa0\u202f]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_INERT = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()#+-.!|~$:"} | {char: f"&#{ord(char)};" for char in "<>&"})


_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)
"""The language of the run: Streamlit's state is behind a lock, and a page writes a hundred and sixty texts."""


def language() -> str:
    """Return the reader's language: French until another one is chosen."""
    return _spoken.get() or _chosen()


def _chosen() -> str:
    return str(st.session_state.get(LANGUAGE, i18n.DEFAULT))


def speak(code: str, *, unless_chosen: bool = False) -> None:
    """Write in a language from now on, in this browser tab; `unless_chosen` where the reader chose none before."""
    if unless_chosen:
        code = st.session_state.get(LANGUAGE, code)
    st.session_state[LANGUAGE] = code
    if _spoken.get() is not None:
        _spoken.set(code)


@contextmanager
def speaking() -> Iterator[None]:
    """Look up once for a whole block which language the reader chose."""
    token = _spoken.set(_chosen())
    try:
        yield
    finally:
        _spoken.reset(token)


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
    """Make a text inert inside markdown, such as a button's label: no mark-up, picture, icon, link or line of its own (S40)."""
    return _LINK.sub(rf"\1{_JOINED}", _LINE_END.sub(" ", text)).translate(_INERT)


def first_large(text: str) -> str:
    """Begin with a capital, and leave the others as the language has them."""
    return text[:1].upper() + text[1:]


def euro(cents: int) -> str:
    """Write an amount."""
    return i18n.shown_money(cents, language())


def percent(share: float) -> str:
    """Write a share of one as whole percent, with the space that the language asks for."""
    return i18n.percent(share, language())


def day(value: date, style: str = "date") -> str:
    """Write a day; see i18n.day for the styles."""
    return i18n.day(value, language(), style)


def moment(value: datetime, style: str = "date") -> str:
    """Write a moment in Brussels time."""
    return i18n.moment(value, language(), style)


def message(error: DomainError) -> str:
    """Write a refusal."""
    return t(error.message, **error.params)
