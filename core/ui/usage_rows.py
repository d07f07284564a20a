"""The sums and the events of Consommations, said in the reader's language."""

from collections.abc import Sequence

import streamlit as st

from core import clock
from core.errors import N_
from core.services import usage_words as words
from core.services.usage_detail import Key, Page, Row, Total
from core.ui import charts
from core.ui.text import esc, euro, language, moment, t, tn
from core.ui.usage_filters import Asked, Known

_PAGES = "_usage_pages"


def totals(found: Sequence[Total]) -> None:
    """Draw what each kind adds up to, and what all of it costs."""
    cells = [(t(words.KINDS[one.kind]), words.total(one.kind, one.sum.events, one.sum.quantity, language()), _note(one)) for one in found]
    cost = sum(one.sum.charged_cents for one in found)
    cells.append((t("Cost"), euro(cost), t("besides the subscription") if cost else t("all in the subscription")))
    shown = "".join(
        f"<div><dt>{esc(label)}</dt><dd><strong>{esc(value)}</strong><span>{esc(note)}</span></dd></div>" for label, value, note in cells
    )
    st.html(f'<dl class="g-totals">{shown}</dl>')


def after(visitor: int, asked: Asked) -> Key | None:
    """Return the key behind which the page that is open begins; other filters, or another file, begin at the first one."""
    owner, keys = st.session_state.get(_PAGES, (None, []))
    if owner != (visitor, asked.filters):
        st.session_state[_PAGES] = (visitor, asked.filters), []
        return None
    return keys[-1] if keys else None


def events(choices: Known, page: Page, size: int) -> None:
    """Draw a page of events and the ways to its neighbours."""
    names = {line.product_no: words.line(line, language()) for line in choices.lines}
    rows = [_cells(row, names, choices.today.year) for row in page.rows]
    charts.table(t("Usage"), [t(title) for title in _HEAD], rows, numbers={4, 7}, folds="g-used")
    _owner, keys = st.session_state[_PAGES]
    first = len(keys) * size + 1
    with st.container(horizontal=True, vertical_alignment="center", key="usage-pager"):
        st.caption(t("Rows {first} to {last}", first=first, last=first + len(page.rows) - 1))
        st.space("stretch")
        st.button(t("Previous"), key="usage:previous", icon=":material/chevron_left:", disabled=not keys, on_click=_back)
        st.button(
            t("Next"), key="usage:next", icon=":material/chevron_right:", icon_position="right", disabled=page.next_key is None, on_click=_on,
            args=(page.next_key,),
        )  # fmt: skip


_HEAD = (N_("When"), N_("Type"), N_("Line"), N_("Other party"), N_("Quantity"), N_("Zone"), N_("Tariff"), N_("Cost"), N_("Bill"))


def _cells(row: Row, names: dict[str, str], year: int) -> tuple[str, ...]:
    tongue = language()
    return (
        moment(row.key.at, "short" if clock.local(row.key.at).year == year else "date"),
        t(words.event(row)),
        names[row.product_no],
        row.other_party or charts.NOTHING,
        words.quantity(row.unit, row.quantity, tongue),
        words.place(row.zone, row.country, tongue),
        t(words.TARIFFS[row.tariff]),
        euro(row.charged_cents),
        row.bill_no or charts.NOTHING,
    )


def _note(total: Total) -> str:
    if total.sum.over_quantity:
        over = words.total(total.kind, total.sum.events, total.sum.over_quantity, language())
        return t("of which {amount} out of bundle: {over_cents}", amount=over, over_cents=total.sum.charged_cents)
    if total.sum.charged_cents:
        return euro(total.sum.charged_cents)
    return tn("{count} time", "{count} times", total.sum.events)


def _on(key: Key) -> None:
    owner, keys = st.session_state[_PAGES]
    st.session_state[_PAGES] = owner, [*keys, key]


def _back() -> None:
    owner, keys = st.session_state[_PAGES]
    st.session_state[_PAGES] = owner, keys[:-1]
