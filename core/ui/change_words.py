"""Changes in words: what was done, which field, and its values."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from core import i18n
from core.catalogue import catalogue
from core.errors import N_
from core.services.usage_numbers import national
from core.services.usage_words import KINDS
from core.ui.text import day, euro, language, moment, percent, t

ACTIONS = {
    "account:hold": N_("Follow-up put on hold"),
    "alert:set": N_("Alert changed"),
    "appointment:book": N_("Visit booked"),
    "appointment:cancel": N_("Visit cancelled"),
    "appointment:complete": N_("Visit done"),
    "appointment:fail": N_("Visit did not take place"),
    "appointment:move": N_("Visit moved"),
    "bill:credit": N_("Credit given"),
    "bill:issue": N_("Bill issued"),
    "bill:pay_by_transfer": N_("To be paid by transfer"),
    "cap:set": N_("Cap changed"),
    "change:revert": N_("Change taken back"),
    "contact:change": N_("Contact data changed"),
    "contact:move": N_("Address changed by the move"),
    "customer:create": N_("File opened for the first time"),
    "customer:flags": N_("Marks changed"),
    "customer:import": N_("File taken over"),
    "customer:suspend": N_("Services suspended"),
    "customer:restore": N_("Services restored"),
    "dunning:decide_dispute": N_("Dispute decided"),
    "dunning:declare_payment": N_("Payment announced"),
    "dunning:dispute": N_("Bill disputed"),
    "dunning:end": N_("Follow-up ended"),
    "dunning:end_dispute": N_("Dispute over"),
    "dunning:hold": N_("Follow-up put on hold"),
    "dunning:release": N_("Hold ended"),
    "e_invoice:send": N_("E-invoice sent"),
    "e_invoice:settle": N_("E-invoice answered"),
    "email:send_code": N_("Code sent to the new e-mail"),
    "mandate:activate": N_("Mandate signed"),
    "mandate:amend": N_("New account asked for"),
    "mandate:cancel": N_("Mandate ended"),
    "mandate:expire": N_("Mandate ended, not used"),
    "mandate:request": N_("Mandate asked for"),
    "mandate:send_code": N_("Signature code sent"),
    "mandate:sign_amendment": N_("New account signed"),
    "option:off": N_("Option off"),
    "option:on": N_("Option on"),
    "option:undo": N_("Option change undone"),
    "plan:accept": N_("Plan accepted"),
    "plan:propose": N_("Plan proposed"),
    "plan:withdraw": N_("Plan withdrawn"),
}
FIELDS = {
    "address": N_("Address"),
    "amount_cents": N_("Amount"),
    "bill_no": N_("Bill"),
    "bundlePercent": N_("Alert: part of the bundle"),
    "bill": N_("Bill"),
    "cap_cents": N_("Cap"),
    "channel": N_("Sent by"),
    "claimed_cents": N_("Claimed"),
    "colleague": N_("Colleague"),
    "charged": N_("Charged only"),
    "credit_cents": N_("Credit"),
    "day": N_("Day"),
    "direction": N_("Direction"),
    "disputed_cents": N_("Disputed"),
    "dunning_hold_until": N_("Hold until"),
    "effective_on": N_("Takes effect"),
    "email": N_("E-mail"),
    "entry": N_("Taken back: change no."),
    "ended": N_("Sessions ended"),
    "failed_by": N_("Because of"),
    "fee_cents": N_("Fee"),
    "format": N_("Kind of file"),
    "iban": N_("Account"),
    "incl_cents": N_("Amount"),
    "kind": N_("Type"),
    "language": N_("Language"),
    "left_out": N_("Left out"),
    "line": N_("Line"),
    "match": N_("Right answer"),
    "number": N_("Number"),
    "option": N_("Option"),
    "options": N_("Replaces"),
    "order_no": N_("Order"),
    "overCents": N_("Alert: spent above the bundle"),
    "paid_cents": N_("Paid"),
    "part": N_("Half day"),
    "payable_until": N_("Payable until"),
    "pending_iban": N_("New account"),
    "phone": N_("Phone"),
    "reason": N_("Reason"),
    "rows": N_("Rows"),
    "signed_on": N_("Signed on"),
    "state": N_("State"),
    "since": N_("From"),
    "status": N_("State"),
    "steps": N_("Steps"),
    "total_cents": N_("Total"),
    "umr": N_("Mandate"),
    "until": N_("Until"),
    "vip": N_("VIP"),
    "vulnerable": N_("Needs extra care"),
    "zone": N_("Zone"),
}
_STATES = {
    "accepted": N_("accepted"), "active": N_("active"), "broken": N_("broken"), "cancelled": N_("cancelled"), "completed": N_("done"),
    "confirmed": N_("confirmed"), "expired": N_("expired"), "failed": N_("failed"), "fulfilled": N_("paid in full"), "none": N_("none"),
    "pendingSignature": N_("waits for its signature"), "proposed": N_("proposed"), "suspended": N_("suspended"),
}  # fmt: skip
_CHANNELS = {"sms": N_("SMS"), "email": N_("e-mail"), "both": N_("SMS and e-mail")}
_STEPS = {
    "credit": N_("credit"), "visit": N_("visit"), "message": N_("message"), "done": N_("task done"), "postpone": N_("task postponed"),
    "task": N_("new task"), "note": N_("note"),
}  # fmt: skip
_OF_SYSTEM = "system"
_SETTINGS = {"cap_cents", "bundlePercent", "overCents"}
"""What can be set to nothing: no cap, no alert."""


def action(code: str) -> str:
    """Write what was done."""
    return t(ACTIONS[code]) if code in ACTIONS else code.replace(":", " · ").replace("_", " ")


def field(name: str) -> str:
    """Write the name of a field."""
    return t(FIELDS[name]) if name in FIELDS else name.replace("_", " ")


def who(username: str, name: str) -> str:
    """Write who made a change."""
    return t("by itself") if username == _OF_SYSTEM else name


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Write what a change did: a field and its values, old and new where both are known; what stayed as it was is left out."""
    old, new = before or {}, after or {}
    found = []
    for name in dict.fromkeys((*old, *new)):
        if isinstance(new.get(name, old.get(name)), dict) or (name in old and name in new and old[name] == new[name]):
            continue
        values = [value(name, facts) for facts in (old, new) if name in facts]
        found.append((field(name), " → ".join(values)))
    return found


def value(name: str, facts: Mapping[str, Any]) -> str:
    """Write a value as the reader knows it; a dash where there was none."""
    found = facts.get(name)
    if found is None:
        return t("none") if name in facts and name in _SETTINGS else "–"  # noqa: RUF001 - a dash
    if isinstance(found, bool):
        return t("yes") if found else t("no")
    if name.endswith(("_cents", "Cents")):
        return euro(int(found))
    if name == "bundlePercent":
        return percent(found / 100)
    if isinstance(found, list):
        return ", ".join(_word(name, str(one)) for one in found) or "–"  # noqa: RUF001 - a dash
    return _word(name, str(found))


def _word(name: str, text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return day(date.fromisoformat(text))
    if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", text):
        return moment(datetime.fromisoformat(text))
    if name in {"option", "options"} and text in catalogue().offerings:
        return catalogue()[text].name(language())
    if name == "language" and text in i18n.LANGUAGES:
        return i18n.LANGUAGES[text]
    if name == "phone" and text.startswith("+"):
        return national(text)
    tables: dict[str, Mapping[Any, str]] = {
        "state": _STATES, "status": _STATES, "channel": _CHANNELS, "steps": _STEPS, "left_out": _STEPS, "kind": KINDS,
    }  # fmt: skip
    known = tables.get(name, {})
    return t(known[text]) if text in known else text
