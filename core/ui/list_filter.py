"""The filter of a list: every condition in sight, groups within groups, and each choice at once in the address."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from core.actor import Actor
from core.errors import N_
from core.services import list_filters
from core.services.list_columns import Column, Type
from core.services.list_filters import DEEPEST, EMPTY, OPS, SEVERAL, Condition, Group, Node, Op
from core.ui import forms, list_address
from core.ui.list_address import Asked
from core.ui.text import day, t

FORM = "lists:filter"
_WORDS: dict[Op, str] = {
    Op.EQ: N_("is"), Op.NE: N_("is not"), Op.LT: N_("is less than"), Op.LE: N_("is at most"), Op.GT: N_("is more than"), Op.GE: N_("is at least"),
    Op.HAS: N_("contains"), Op.STARTS: N_("begins with"), Op.IN: N_("is one of"), Op.OUT: N_("is none of"), Op.NONE: N_("is empty"),
    Op.SOME: N_("is filled in"),
}  # fmt: skip
_DAY_WORDS = _WORDS | {
    Op.EQ: N_("on"), Op.NE: N_("not on"), Op.LT: N_("before"), Op.LE: N_("until"), Op.GT: N_("after"), Op.GE: N_("since"),
}  # fmt: skip
_DAYS = {
    "$today": N_("today"), "$today-1": N_("yesterday"), "$today+1": N_("tomorrow"), "$week": N_("this Monday"), "$month": N_("the 1st of the month"),
    "$today-7": N_("7 days ago"), "$today-14": N_("14 days ago"), "$today-30": N_("30 days ago"), "$today-60": N_("60 days ago"),
    "$today-90": N_("90 days ago"), "$today+7": N_("in 7 days"), "$today+30": N_("in 30 days"),
}  # fmt: skip
_HIDDEN = {Type.TEXT: {Op.IN, Op.OUT}, Type.CHOICE: {Op.EQ, Op.NE}}
"""What the screen offers no choice of: another comparison says the same."""
_FIRST = {Type.TEXT: (Op.HAS, ""), Type.MONEY: (Op.GE, "0"), Type.NUMBER: (Op.GE, "0"), Type.DAY: (Op.GE, "$today-30"), Type.MOMENT: (Op.GE, "$today-30"), Type.FLAG: (Op.EQ, "yes")}  # fmt: skip
_DATE_PARTS = 3

Path = tuple[int, ...]


def show(actor: Actor, asked: Asked) -> None:
    """Draw the filter as it stands in the address, with what can be added."""
    columns = [column for column in asked.listing.columns_of(actor).values() if column.comparable]
    _group(asked, columns, asked.query.where, ())


def _group(asked: Asked, columns: Sequence[Column], group: Group, path: Path) -> None:
    where = _key(path)
    if path or len(group.parts) > 1:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.session_state[f"lists:every:{where}"] = "and" if group.every else "or"
            st.segmented_control(
                t("How these conditions go together"), ["and", "or"], key=f"lists:every:{where}", required=True, label_visibility="collapsed",
                format_func={"and": t("All of these"), "or": t("Any of these")}.__getitem__, on_change=_turn, args=(asked, path),
            )  # fmt: skip
            if path:
                _remove_button(asked, path)
    for place, part in enumerate(group.parts):
        here = (*path, place)
        if isinstance(part, Group):
            with st.container(border=True, gap="xsmall", key=f"lists-group-{_key(here)}"):
                _group(asked, columns, part, here)
        else:
            _condition(asked, columns, part, here)
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("Add a condition"),
            key=f"lists:add:{where}",
            icon=":material/add:",
            type="tertiary",
            on_click=_add,
            args=(asked, path, columns[0]),
        )
        if len(path) < DEEPEST - 1:
            st.button(t("Add a group"), key=f"lists:group:{where}", icon=":material/data_array:", type="tertiary", on_click=_add_group, args=(asked, path, columns[0]))  # fmt: skip


def _condition(asked: Asked, columns: Sequence[Column], condition: Condition, path: Path) -> None:
    where, named = _key(path), {column.name: column for column in columns}
    column = named[condition.column]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=f"lists-condition-{where}"):
        st.session_state[f"lists:column:{where}"] = column.name
        st.selectbox(
            t("Column"), list(named), key=f"lists:column:{where}", width=190, label_visibility="collapsed",
            format_func=lambda name: t(named[name].label), on_change=_choose_column, args=(asked, path, named),
        )  # fmt: skip
        ops = [op for op in OPS[column.type] if op is condition.op or op not in _HIDDEN.get(column.type, ())]
        if len(ops) > 1:
            words = _DAY_WORDS if column.type in {Type.DAY, Type.MOMENT} else _WORDS
            st.session_state[f"lists:op:{where}"] = condition.op
            st.selectbox(
                t("Comparison"), ops, key=f"lists:op:{where}", width=150, label_visibility="collapsed",
                format_func=lambda op: t(words[op]), on_change=_choose_op, args=(asked, path, column, condition),
            )  # fmt: skip
        if condition.op not in EMPTY:
            _value(asked, column, condition, path)
        _remove_button(asked, path)
    forms.error(FORM, where)


def _value(asked: Asked, column: Column, condition: Condition, path: Path) -> None:
    where = _key(path)
    key, label = f"lists:value:{where}", t("Value")
    found = forms.last(FORM)
    kept = found is not None and found.field == where and key in st.session_state  # What was typed wrongly stays, to be put right.
    args = (asked, path, column, condition)
    if column.type is Type.CHOICE:
        st.session_state[key] = list(condition.values)
        st.multiselect(
            label, list(column.words), key=key, width=330, label_visibility="collapsed", format_func=lambda name: t(column.words[name]),
            placeholder=t("Choose"), on_change=_choose_values, args=args,
        )  # fmt: skip
    elif column.type is Type.FLAG:
        st.session_state[key] = condition.value
        st.selectbox(
            label, ["yes", "no"], key=key, width=100, label_visibility="collapsed", format_func=lambda name: t(column.words[name]),
            on_change=_choose_value, args=args,
        )  # fmt: skip
    elif column.type in {Type.DAY, Type.MOMENT}:
        if not kept:
            st.session_state[key] = condition.value
        st.selectbox(
            label, list(dict.fromkeys((*_DAYS, condition.value, str(st.session_state[key])))), key=key, width=210, label_visibility="collapsed",
            format_func=_day_word, accept_new_options=True, on_change=_choose_value, args=args,
            help=t("Choose, or type a day such as 18/11/2026, or $today-45."),
        )  # fmt: skip
    else:
        if not kept:
            st.session_state[key] = ", ".join(condition.values)
        st.text_input(
            label, key=key, width=210, label_visibility="collapsed", max_chars=200, on_change=_choose_value, args=args,
            placeholder="0,00" if column.type is Type.MONEY else t("type here"),
        )  # fmt: skip


def _day_word(value: str) -> str:
    if value in _DAYS:
        return t(_DAYS[value])
    found = list_filters.day_of(value)
    return day(found) if found and not value.startswith("$") else value


def _remove_button(asked: Asked, path: Path) -> None:
    st.button(
        t("Remove"), key=f"lists:remove:{_key(path)}", icon=":material/close:", type="tertiary", on_click=_put, args=(asked, path, None)
    )


def _turn(asked: Asked, path: Path) -> None:
    group = _at(asked.query.where, path)
    if isinstance(group, Group):
        _put(asked, path, replace(group, every=st.session_state[f"lists:every:{_key(path)}"] == "and"))


def _add(asked: Asked, path: Path, column: Column) -> None:
    _append(asked, path, _new(column))


def _add_group(asked: Asked, path: Path, column: Column) -> None:
    _append(asked, path, Group(every=False, parts=(_new(column), _new(column))))


def _append(asked: Asked, path: Path, node: Node) -> None:
    group = _at(asked.query.where, path)
    if isinstance(group, Group):
        _put(asked, path, replace(group, parts=(*group.parts, node)))


def _choose_column(asked: Asked, path: Path, named: dict[str, Column]) -> None:
    _put(asked, path, _new(named[st.session_state[f"lists:column:{_key(path)}"]]))


def _choose_op(asked: Asked, path: Path, column: Column, condition: Condition) -> None:
    op = Op(st.session_state[f"lists:op:{_key(path)}"])
    values = () if op in EMPTY else condition.values or _new(column).values
    _put(asked, path, Condition(column.name, op, values))


def _choose_values(asked: Asked, path: Path, _column: Column, condition: Condition) -> None:
    chosen = tuple(st.session_state[f"lists:value:{_key(path)}"])
    if chosen:
        _put(asked, path, replace(condition, values=chosen, op=condition.op if condition.op in SEVERAL else _several(condition.op)))
    else:
        forms.say(FORM, t("Choose at least one, or remove the condition."), good=False, field=_key(path))


def _choose_value(asked: Asked, path: Path, column: Column, condition: Condition) -> None:
    """Take over what was typed, if the column could hold it; else say so beside it."""
    typed = str(st.session_state[f"lists:value:{_key(path)}"] or "").strip()
    reads: dict[Type, Callable[[str], str | None]] = {
        Type.DAY: _typed_day,
        Type.MOMENT: _typed_day,
        Type.MONEY: _typed_amount,
        Type.NUMBER: _typed_number,
    }
    value = reads.get(column.type, _typed_text)(typed)
    if value is None:
        told = {Type.MONEY: t("Write an amount, such as 12,50."), Type.NUMBER: t("Write a whole number.")}
        forms.say(FORM, told.get(column.type, t("Write a day as 18/11/2026, or $today-30.")), good=False, field=_key(path))
        return
    values = tuple(filter(None, (part.strip() for part in value.split(",")))) if condition.op in SEVERAL else (value,)
    _put(asked, path, replace(condition, values=values or ("",)))


def _typed_text(text: str) -> str | None:
    return text if text.isprintable() else None


def _typed_day(text: str) -> str | None:
    if list_filters.day_of(text):
        return text
    parts = text.replace(".", "/").replace("-", "/").split("/")
    if len(parts) != _DATE_PARTS or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    iso = f"{int(parts[2]):04d}-{int(parts[1]):02d}-{int(parts[0]):02d}"
    return iso if list_filters.day_of(iso) else None


def _typed_amount(text: str) -> str | None:
    cents = list_filters.cents_of(text.replace("€", "").replace("\xa0", "").replace("\u202f", "").replace(" ", ""))
    return None if cents is None else f"{cents / 100:.2f}"


def _typed_number(text: str) -> str | None:
    return text if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None


def _several(op: Op) -> Op:
    return Op.OUT if op is Op.NE else Op.IN


def _new(column: Column) -> Condition:
    if column.type is Type.CHOICE:
        return Condition(column.name, Op.IN, (next(iter(column.words)),))
    op, value = _FIRST[column.type]
    return Condition(column.name, op, (value,))


def _at(node: Node, path: Path) -> Node:
    for place in path:
        if not isinstance(node, Group) or place >= len(node.parts):
            break
        node = node.parts[place]
    return node


def _put(asked: Asked, path: Path, node: Node | None) -> None:
    """Replace a part of the filter, or take it out; a group that is left empty goes too."""
    found = _replaced(asked.query.where, path, node)
    where = found if isinstance(found, Group) else list_filters.EVERYTHING
    list_address.go(list_address.filtered(asked.query, where), asked.view)


def _replaced(root: Node, path: Path, node: Node | None) -> Node | None:
    if not path:
        return node
    if not isinstance(root, Group) or path[0] >= len(root.parts):
        return root  # The address changed meanwhile.
    parts = [_replaced(part, path[1:], node) if place == path[0] else part for place, part in enumerate(root.parts)]
    left = tuple(part for part in parts if part is not None)
    return replace(root, parts=left) if left else None


def _key(path: Path) -> str:
    return "-".join(map(str, path)) or "top"
