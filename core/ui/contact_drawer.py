"""The drawer in which contact data change, and the code that confirms a new e-mail."""

import secrets
from typing import Literal

import streamlit as st

from core import i18n, postcodes
from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.customer import Language
from core.postcodes import PostcodeOfAnotherTown
from core.services import contacts
from core.services.contacts import Changed, ContactData
from core.services.usage_numbers import national
from core.ui import forms, gate, two_at_once
from core.ui.act import act, operation
from core.ui.text import md, t
from core.ui.two_at_once import Field

FORM = "account"
CODE = "account:code"
_TEXTS = {
    "email": N_("E-mail"), "phone": N_("Phone"), "street": N_("Street"), "number": N_("House number"), "box": N_("Box"),
    "postcode": N_("Postcode"), "town": N_("Town"),
}  # fmt: skip
Kind = Literal["default", "email", "phone"]
_OPENING = "_account_opening"
_ASKED = "_account_asked"


def prepare() -> None:
    """Start with an empty form, as the drawer opens."""
    forms.forget()
    st.session_state[_OPENING] = secrets.token_hex(4)
    st.session_state.pop(_ASKED, None)


def draw() -> None:
    """Draw the form, with what is stored at this moment; it closes once it is saved."""
    answer = forms.last(FORM)
    if answer is not None and answer.good:
        st.rerun()
    visit = gate.visit(Permission.ACCOUNT_WRITE)
    customer_id = visit.customer.id
    with reading() as session:
        data = contacts.read(session, visit.actor, customer_id=customer_id)
    two_at_once.fill(FORM, st.session_state.get(_OPENING), _fields(data))
    _text("email", t("(optional)"), "email", "email")
    _text("phone", "", "phone", "tel")
    _text("street", "", "default", "address-line1")
    with st.grid(2, gap="small"):
        _text("number")
        _text("box", t("(optional)"))
    with st.grid(2, gap="small"):
        _text("postcode", "", "default", "postal-code")
        _text("town", "", "default", "address-level2")
    _propose_town()
    st.radio(
        t("Language of bills and messages"),
        list(i18n.LANGUAGES),
        format_func=i18n.LANGUAGES.__getitem__,
        key=_key("language"),
        horizontal=True,
    )
    st.caption(t("A new e-mail counts once the code we send there is typed in. You are told of each change."))
    forms.answer(FORM)
    two_at_once.show(FORM)
    two_at_once.theirs(FORM)
    key = operation(FORM, data.version, st.session_state.get(_OPENING))
    with st.container(horizontal=True, gap="small"):
        st.button(t("Save"), key="account:save", type="primary", on_click=_save, args=(customer_id, key, data.version))
        if st.button(t("Cancel"), key="account:cancel"):
            st.rerun()


def draw_code(customer_id: int, data: ContactData) -> None:
    """Ask for the code that was sent to a new e-mail."""
    if data.pending_email is None:
        forms.answer(CODE)
        return
    forms.begin(CODE, customer_id, {"account:code": ""})
    with st.container(key="account:pending", gap="xsmall"):
        st.text(t("{email} waits for the code we sent there. It works for 15 minutes.", email=data.pending_email))
        with st.form("account:code:form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(t("Code of six digits"), key="account:code", max_chars=12, autocomplete="one-time-code", width=160)
            tries = st.session_state.get("_code_tries", 0)
            st.form_submit_button(
                t("Confirm the e-mail"),
                key="account:code:save",
                on_click=_confirm,
                args=(customer_id, tries, operation(CODE, customer_id, data.version, tries)),
            )
        forms.error(CODE, "code")
        forms.answer(CODE)


def _fields(data: ContactData) -> dict[str, Field]:
    """Return the fields of the form with what is stored."""
    stored = {name: getattr(data, name) or "" for name in _TEXTS} | {"phone": national(data.phone) if data.phone else ""}
    fields = {
        _key(name): Field(t(label), stored[name], group="" if name in {"email", "phone"} else "address") for name, label in _TEXTS.items()
    }
    return fields | {_key("language"): Field(t("Language of bills and messages"), data.language.value, i18n.LANGUAGES.__getitem__)}


def _text(name: str, note: str = "", kind: Kind = "default", autocomplete: str = "off") -> None:
    with st.container(gap="xxsmall"):
        st.text_input(f"{t(_TEXTS[name])} {note}".strip(), key=_key(name), type=kind, autocomplete=autocomplete)
        forms.error(FORM, name)


def _propose_town() -> None:
    """Propose the towns of the postcode where another one is written; parts of municipalities may stay."""
    postcode = st.session_state.get(_key("postcode"), "").strip()
    with st.container(horizontal=True, gap="small"):
        for town in postcodes.suggest(postcode, st.session_state.get(_key("town"), "")):
            label = t("{postcode} is {town}: take it", postcode=postcode, town=md(town))
            st.button(label, key=f"account:take:{town}", icon=":material/location_on:", on_click=_take_town, args=(town,))


def _take_town(town: str) -> None:
    st.session_state[_key("town")] = town


def _save(customer_id: int, key: str, shown_version: int) -> None:
    """Save the form; a town known under another postcode is asked about once."""
    given = {name: st.session_state[_key(name)] for name in _TEXTS}
    place = (given["postcode"], given["town"])
    act(
        contacts.change, form=FORM, operation=key, customer_id=customer_id, shown_version=shown_version,
        language=Language(st.session_state[_key("language")]), town_kept=st.session_state.get(_ASKED) == place, done=_told, **given,
    )  # fmt: skip
    answer = forms.last(FORM)
    asked = answer is not None and answer.field == PostcodeOfAnotherTown.field
    st.session_state[_ASKED] = place if asked else None


def _told(changed: Changed) -> str:
    """Say what was saved, and what the customer has to do next."""
    parts_changed = ", ".join(t(word) for word in changed.what)
    saved = t("Saved: {what}.", what=parts_changed) if changed.what else ""
    if changed.code_sent_to:
        return f"{saved} {t('We sent a code to the new e-mail: type it in below.')}".strip()
    return saved or t("Nothing was changed.")


def _confirm(customer_id: int, tries: int, key: str) -> None:
    """Count the try, then judge it: two clicks' worth of work, so that a refusal can't undo the count."""
    code, st.session_state["account:code"] = st.session_state["account:code"], ""
    st.session_state["_code_tries"] = tries + 1
    if act(contacts.count_try, form=CODE, operation=f"{key}-try", customer_id=customer_id):
        act(
            contacts.confirm_email, form=CODE, operation=key, customer_id=customer_id,
            code=code, done=t("The e-mail is confirmed."),
        )  # fmt: skip


def _key(name: str) -> str:
    return f"account:{name}"
