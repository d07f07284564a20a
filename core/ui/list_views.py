"""The views of a list: those of the trade, of the team and one's own; a list is saved as one."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.actor import Actor
from core.errors import N_
from core.models.saved_view import Ownership
from core.services import saved_views
from core.services.lists import Query
from core.services.saved_views import View
from core.ui import forms, list_address, parts
from core.ui.act import act, operation
from core.ui.list_address import Asked
from core.ui.text import language, t

FORM = "lists:view"
_OPENED = "_view_form"
_WORDS = {
    Ownership.MINE: (N_("Mine alone"), N_("Only I see it.")),
    Ownership.TEAM: (N_("The team's"), N_("All colleagues see it and may change it.")),
    Ownership.LOCKED: (N_("Locked"), N_("All colleagues see it; only a team lead changes it.")),
}
_NONE = ""


def show(actor: Actor, asked: Asked, found: Sequence[View]) -> None:
    """Draw the choice of views, and what can be done with the one that is open."""
    view, named = asked.view, {one.code: one for one in found}
    names = {_NONE: t("All rows")} | {code: _label(one) for code, one in named.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="lists-views"):
        st.session_state["lists:view"] = view.code if view and view.code in named else _NONE
        st.selectbox(
            t("View"), list(names), key="lists:view", format_func=names.__getitem__, width=330, on_change=_choose, args=(asked, named)
        )
        if view is not None and asked.changed:
            st.button(
                t("Back to the view"),
                key="lists:view:back",
                icon=":material/undo:",
                type="tertiary",
                on_click=list_address.go,
                args=(view.query, view),
            )
            if view.may_change(actor) and view.noun == asked.query.noun:
                key = operation(FORM, view.id, view.version, repr(list_address.plain(asked.query)))
                st.button(t("Save the changes"), key="lists:view:change", icon=":material/save:", type="tertiary", on_click=_change, args=(view, asked.query, key))  # fmt: skip
        st.button(t("Save as a view"), key="lists:view:new", icon=":material/bookmark_add:", type="tertiary", on_click=_open)
        if view is not None and view.may_change(actor):
            key = operation(FORM, "remove", view.id, view.version)
            st.button(t("Remove the view"), key="lists:view:remove", icon=":material/bookmark_remove:", type="tertiary", on_click=_remove, args=(view, key))  # fmt: skip
    forms.answer(FORM)
    if st.session_state.pop(_OPENED, False):
        parts.drawer(t("Save as a view"), partial(_form, actor, asked.query))


def _label(one: View) -> str:
    if one.id is None:
        return one.name(language())
    whose = t(_WORDS[one.ownership][0])
    return f"{one.name(language())} · {whose}"


def _choose(asked: Asked, named: dict[str, View]) -> None:
    view = named.get(st.session_state["lists:view"])
    list_address.go(view.query if view else Query(asked.query.noun), view)


def _open() -> None:
    st.session_state[_OPENED] = True


def _form(actor: Actor, query: Query) -> None:
    """Draw the form of a new view."""
    found = forms.last(FORM)
    if found is not None and found.good:
        st.rerun()
    st.text_input(t("Name"), key="lists:view:name", max_chars=saved_views.NAME_LENGTH)
    forms.error(FORM, "name")
    kinds = saved_views.may_own(actor)
    st.radio(
        t("Who sees it"), kinds, key="lists:view:whose", format_func=lambda one: t(_WORDS[one][0]), captions=[t(_WORDS[one][1]) for one in kinds],
    )  # fmt: skip
    forms.answer(FORM)
    key = operation(FORM, "new", repr(query), st.session_state.get("lists:view:name", ""))
    st.button(t("Save"), key="lists:view:save", type="primary", on_click=_save, args=(query, key))


def _save(query: Query, key: str) -> None:
    query = list_address.plain(query)
    act(
        saved_views.save, form=FORM, operation=key, done=partial(_told, query), name=str(st.session_state["lists:view:name"]),
        ownership=st.session_state["lists:view:whose"], query=query,
    )  # fmt: skip


def _told(query: Query, code: str) -> str:
    st.query_params.from_dict(list_address.query_params(list_address.plain(query), code))
    return t("The view is saved.")


def _change(view: View, query: Query, key: str) -> None:
    act(
        saved_views.change, form=FORM, operation=key, done=t("The view is saved."), view_id=view.id, shown_version=view.version,
        query=list_address.plain(query), name=view.name(language()),
    )  # fmt: skip


def _remove(view: View, key: str) -> None:
    if act(saved_views.remove, form=FORM, operation=key, done=t("The view is removed."), view_id=view.id, shown_version=view.version):
        rest = {name: st.query_params[name] for name in st.query_params if name != "view"}
        st.query_params.from_dict(rest)
