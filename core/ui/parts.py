"""The pieces every page is made of: cards, headings, facts, badges, meters, waterfalls, drawers.

What only shows something is a piece of HTML, and `draw` puts pieces that stand together on the screen at once: each element costs
the server, the line and the browser. What reacts to a click is a widget of Streamlit's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import streamlit as st

from core.ui import view
from core.ui.text import esc, language

Tone = Literal["good", "info", "watch", "bad", "neutral"]
_COLOURS: dict[str, Any] = {"good": "green", "info": "blue", "watch": "orange", "bad": "red", "neutral": "gray"}


class Mark(NamedTuple):
    """A state as word, tone and icon: never colour alone."""

    word: str
    tone: Tone = "neutral"
    icon: str | None = None


class _Html:
    """HTML that says it is: of a text, Streamlit first looks whether a file has that name."""

    def __init__(self, text: str) -> None:
        """Hold the text."""
        self.text = text

    def _repr_html_(self) -> str:
        return self.text


def draw(*pieces: str) -> None:
    """Put pieces on the screen, in one element."""
    st.html(_Html("".join(pieces)))


def head(text: str, level: Literal[1, 2, 3] = 2, *, note: str = "", marks: Sequence[Mark] = (), end: str = "", unit: str = "") -> str:
    """Make a heading with what stands in its line: a note behind it, states, and at the end a value with its unit. All texts are escaped here."""
    words = f'<span class="g-note">{esc(note)}</span>' if note else ""
    value = f'<span class="g-end"><strong>{esc(end)}</strong> {esc(unit)}</span>' if end else ""
    states = "".join(_mark(mark) for mark in marks)
    return f'<div class="g-head"><h{level}>{esc(text)}</h{level}>{words}<span class="g-states">{states}</span>{value}</div>'


def _mark(mark: Mark) -> str:
    icon = f'<span class="g-icon" aria-hidden="true">{esc(mark.icon)}</span>' if mark.icon else ""
    return f'<span class="g-state {mark.tone}">{icon}{esc(mark.word)}</span>'


def state(mark: Mark) -> str:
    """Make a state that stands among other text."""
    return _mark(mark)


def entry(day: str, mark: Mark, amount: str, told: str) -> str:
    """Make a line of a list of papers: its day, its state, its amount and what there is to tell. All texts are escaped here."""
    cells = f"<strong>{esc(day)}</strong><span>{_mark(mark)}</span><strong>{esc(amount)}</strong>"
    return f'<div class="g-entry">{cells}<span class="g-told">{esc(told)}</span></div>'


def ladder(entries: Sequence[str], *, wide: bool = False) -> str:
    """Make a column of entries: steps with their dates, one below the other; `wide` where the third column is a name, not an amount."""
    return f'<div class="g-ladder{" g-wide" if wide else ""}">{"".join(entries)}</div>' if entries else ""


def note(text: str) -> str:
    """Make a line that explains."""
    return f'<p class="g-lead">{esc(text)}</p>'


def lead(strong: str, text: str) -> str:
    """Make a line that begins in bold."""
    return f"<p><strong>{esc(strong)}</strong> · {esc(text)}</p>"


def points(texts: Sequence[str]) -> str:
    """Make a list of what a thing holds."""
    return f'<ul class="g-points">{"".join(f"<li>{esc(text)}</li>" for text in texts)}</ul>'


def card(key: str, *, stretch: bool = False) -> AbstractContextManager[Any]:
    """Open a bordered card; in a grid, `stretch` makes it as high as its neighbours."""
    return st.container(border=True, key=f"card-{key}", gap="xsmall", height="stretch" if stretch else "content")


def row(key: str) -> AbstractContextManager[Any]:
    """Open a wrapping row that starts with a heading."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"headrow-{key}")


@contextmanager
def uploader(key: str) -> Iterator[None]:
    """Open the place of an uploader: Streamlit's own words on it are English, so the style sheet writes those of the reader's language."""
    with st.container(key=f"upload-{language()}-{key.replace(':', '-')}"), st.container(key=key):
        yield


def heading(text: str, level: Literal[1, 2, 3] = 2, *, width: Literal["stretch", "content"] = "stretch") -> None:
    """Draw a heading without an anchor: the customer's name is level 1, a section 2, a card 3; in a row, of the width of its text."""
    {1: st.title, 2: st.header, 3: st.subheader}[level](text, anchor=False, width=width)


def badge(word: str, tone: Tone = "neutral", icon: str | None = None) -> None:
    """Draw a state as word, icon and colour: never colour alone."""
    st.badge(word, icon=f":material/{icon}:" if icon else None, color=_COLOURS[tone])


def facts(pairs: Sequence[tuple[str, str]], *, strong: Sequence[int] = ()) -> None:
    """Draw label and value rows."""
    draw(fact_rows(pairs, strong=strong))


def fact_rows(pairs: Sequence[tuple[str, str]], *, strong: Sequence[int] = ()) -> str:
    """Make label and value rows; `strong` numbers the rows whose value is bold. All texts are escaped here."""
    rows = "".join(
        f"<dt>{esc(label)}</dt><dd>{f'<strong>{esc(value)}</strong>' if index in strong else esc(value)}</dd>"
        for index, (label, value) in enumerate(pairs)
    )
    return f'<dl class="g-facts">{rows}</dl>'


def empty(text: str) -> None:
    """Say what is missing here, and what to do."""
    st.caption(text)


@dataclass(frozen=True)
class Meter:
    """A line of use. Shares run from 0 to 1; `over` is True where the part beyond `share` is out of the bundle; None draws no bar."""

    label: str
    value: str
    share: float | None = None
    tone: Literal["accent", "warn", "bad"] = "accent"
    over: bool = False
    tick: float | None = None
    note: str = ""
    note_tone: Literal["", "warn", "bad"] = ""


def meters(lines: Sequence[Meter]) -> str:
    """Make lines of use."""
    return "".join(_meter(line) for line in lines)


def tags(words: Sequence[str]) -> str:
    """Make a row of words that belong to a thing, such as the options of a plan."""
    on = "".join(f'<span class="g-mark">{esc(word)}</span>' for word in words)
    return f"<div>{on}</div>" if on else ""


def _meter(line: Meter) -> str:
    figures = f'<div class="g-meter-head"><span>{esc(line.label)}</span><strong>{esc(line.value)}</strong></div>'
    track = ""
    if line.share is not None:
        share = f"{min(max(line.share, 0), 1):.1%}"
        bars = f'<div style="width:{share};background:var(--g-{line.tone})"></div>'
        if line.over:
            stripes = "repeating-linear-gradient(135deg,var(--g-bad) 0 5px,var(--g-bad-2) 5px 8px)"
            bars += f'<div style="left:{share};right:0;border-left:2px solid var(--g-card);background:{stripes}"></div>'
        if line.tick is not None:
            bars += f'<div style="left:{min(line.tick, 0.995):.1%};border-left:2px solid var(--g-ink)"></div>'
        track = f'<div class="g-meter-track" aria-hidden="true">{bars}</div>'
    below = f'<div class="g-note {line.note_tone}">{esc(line.note)}</div>' if line.note else ""
    return f'<div class="g-meter">{figures}{track}{below}</div>'


@dataclass(frozen=True)
class Step:
    """A step of a waterfall: a sum stands on the ground, a change on what came before. Amounts in cents, `shown` already written."""

    label: str
    cents: int
    shown: str
    is_sum: bool = False


def waterfall(steps: Sequence[Step]) -> None:
    """Draw how one amount became another, as a table with bars: it reads aloud, and prints."""
    spans, running = [], 0
    for step in steps:
        start = 0 if step.is_sum else running
        running = step.cents if step.is_sum else running + step.cents
        spans.append((min(start, running), max(start, running)))
    low, top = min(0, *(span[0] for span in spans)), max(1, *(span[1] for span in spans))
    scale = top - low
    body = "".join(_step(step, (span[0] - low) / scale, (span[1] - span[0]) / scale) for step, span in zip(steps, spans, strict=True))
    st.html(
        '<table class="g-waterfall"><colgroup><col style="width:45%"><col style="width:33%"><col style="width:22%"></colgroup>'
        f"<tbody>{body}</tbody></table>"
    )


def _step(step: Step, left: float, width: float) -> str:
    tone = "accent" if step.is_sum else ("warn" if step.cents > 0 else "good")
    bar = f'<div class="bar" aria-hidden="true"><div style="left:{left:.1%};width:{width:.1%};background:var(--g-{tone})"></div></div>'
    return f'<tr class="{"sum" if step.is_sum else ""}"><th scope="row">{esc(step.label)}</th><td>{bar}</td><td>{esc(step.shown)}</td></tr>'


def drawer(title: str, body: Callable[[], None], *, width: int = 520, closed: Callable[[], None] | None = None) -> None:
    """Open a drawer at the right: the customer stays in sight behind it. `closed` is called when the reader closes it."""

    @st.dialog(title, width=width, position="right", on_dismiss=closed or "ignore")
    def opened() -> None:
        with view.at_one_moment():
            body()

    waiting = _waiting.get()
    if waiting is None:
        opened()
    else:
        waiting.append(opened)


_waiting: ContextVar[list[Callable[[], None]] | None] = ContextVar("waiting", default=None)


@contextmanager
def drawers_last() -> Iterator[None]:
    """Open what a block asks for at its end: from within a card, each later click in a drawer would copy all the containers around it."""
    waiting: list[Callable[[], None]] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for opened in waiting:
        opened()
