"""How the story of a file is told: a sentence for each thing that happened, its amount, its state, and where it is told in full."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import clock
from core.catalogue import catalogue, contact_reasons
from core.errors import N_
from core.models.appointment import AppointmentState, Failure
from core.models.bill import BillCategory, BillState
from core.models.communication import MessageState
from core.models.dunning import DisputeEnd, DunningStep
from core.models.interaction import InteractionChannel, Team
from core.models.order import ItemAction, OrderCategory, OrderState
from core.models.payment import PaymentState, PlanState, RefundState
from core.services import collections, tasks
from core.services.bill_words import label
from core.services.documents import KIND_NAMES
from core.services.references import mask_iban
from core.services.timeline import Entry, Kind
from core.services.usage_numbers import national
from core.ui import change_words
from core.ui.arrears_card import STEPS
from core.ui.half_days import CATEGORIES, short
from core.ui.inbox import CHANNELS
from core.ui.papers import STATES as DOCUMENT_STATES
from core.ui.parts import Mark
from core.ui.statuses import task_word
from core.ui.text import day, euro, language, t, tn
from core.ui.visits import STATES as VISIT_STATES

KINDS: dict[Kind, tuple[str, str]] = {
    Kind.BILL: (N_("Bills"), "receipt_long"),
    Kind.PAYMENT: (N_("Payments"), "payments"),
    Kind.FOLLOW_UP: (N_("Follow-up"), "gavel"),
    Kind.ORDER: (N_("Orders"), "shopping_cart"),
    Kind.VISIT: (N_("Visits"), "engineering"),
    Kind.MESSAGE: (N_("Messages"), "mail"),
    Kind.CALL: (N_("Talks"), "call"),
    Kind.NOTE: (N_("Notes"), "sticky_note_2"),
    Kind.TASK: (N_("Tasks"), "task_alt"),
    Kind.DOCUMENT: (N_("Documents"), "description"),
    Kind.CHANGE: (N_("Changes"), "edit"),
}
TALKS = {
    InteractionChannel.PHONE: N_("Phone call"),
    InteractionChannel.EMAIL: N_("Exchange of e-mails"),
    InteractionChannel.CHAT: N_("Chat"),
    InteractionChannel.SHOP: N_("Talk in a shop"),
}
TEAMS = {Team.CARE: N_("Customer care"), Team.BILLING: N_("Billing"), Team.PRODUCT: N_("Product team")}
_ORDERS = {
    OrderCategory.NEW: N_("New contract ordered"),
    OrderCategory.OPTION: N_("Options changed"),
    OrderCategory.DECODER: N_("TV decoder ordered"),
    OrderCategory.PLAN: N_("Change of plan ordered"),
    OrderCategory.MOVE: N_("House move ordered"),
    OrderCategory.CANCEL: N_("End of the contract ordered"),
    OrderCategory.UNDO: N_("A change was undone"),
}
_ORDER_STATES: dict[OrderState, Mark] = {
    OrderState.ACKNOWLEDGED: Mark(N_("Received"), "info", "schedule"),
    OrderState.HELD: Mark(N_("On hold"), "watch", "pause_circle"),
    OrderState.IN_PROGRESS: Mark(N_("Under way"), "info", "schedule"),
    OrderState.COMPLETED: Mark(N_("Done"), "good", "check_circle"),
    OrderState.REJECTED: Mark(N_("Rejected"), "bad", "error"),
    OrderState.CANCELLED: Mark(N_("Cancelled"), "neutral", "cancel"),
}
_ITEMS = {ItemAction.ADD: "+ {name}", ItemAction.MODIFY: "{name}", ItemAction.DELETE: "− {name}"}  # noqa: RUF001 - the typographic minus
_PLAN_ENDS = {
    PlanState.KEPT: (N_("Payment plan kept to the end"), Mark(N_("Paid"), "good", "check_circle")),
    PlanState.BROKEN: (N_("Payment plan broken"), Mark(N_("Broken"), "bad", "error")),
    PlanState.WITHDRAWN: (N_("Payment plan withdrawn"), Mark(N_("Withdrawn"), "neutral", "undo")),
}
_DISPUTE_ENDS = {
    DisputeEnd.DECIDED: N_("Dispute of bill {bill_no} decided"),
    DisputeEnd.PAID: N_("Dispute of bill {bill_no} over: the bill is paid"),
    DisputeEnd.CREDITED: N_("Dispute of bill {bill_no} over: the amount is credited"),
}
_FAILURES = {
    Failure.CUSTOMER: N_("nobody was at home"),
    Failure.OPERATOR: N_("we did not come"),
    Failure.NO_ACCESS: N_("no access to the place"),
}
_CHANGES = {
    "account:hold": N_("Follow-up put on hold"),
    "account:release": N_("Follow-up no longer on hold"),
    "alert:set": N_("Usage alerts changed"),
    "appointment:cancel": N_("Visit cancelled"),
    "cap:set": N_("Cap changed"),
    "contact:change": N_("Contact data changed"),
    "contact:move": N_("Address changed by the house move"),
    "customer:close": N_("File closed"),
    "customer:restrict": N_("Outgoing calls barred"),
    "customer:restore": N_("Services restored"),
    "customer:suspend": N_("Services suspended"),
    "macro:run": N_("Macro carried out"),
    "mandate:activate": N_("Direct debit mandate signed"),
    "mandate:amend": N_("Change of the mandate asked for"),
    "mandate:cancel": N_("Direct debit mandate ended"),
    "mandate:expire": N_("Direct debit mandate expired"),
    "mandate:request": N_("Direct debit mandate asked for"),
    "mandate:sign_amendment": N_("Change of the mandate signed"),
    "move:complete": N_("House move completed"),
    "move:postpone": N_("House move postponed"),
    "password:change": N_("Password changed"),
    "password:reset": N_("Password set by a link"),
    "question:change": N_("Security question changed"),
    "question:check": N_("Answer to the security question checked"),
    "question:set": N_("Security question chosen"),
    "reset:send": N_("Link to a new password sent"),
    "usage:export": N_("Usage exported"),
}
_SETTINGS, _VALUES = {"cap:set"}, {"alert:set", "contact:change", "contact:move", "move:postpone", "mandate:sign_amendment"}
"""Changes whose old and new values are told in their line."""
_WORDS_SHOWN = 220


@dataclass(frozen=True)
class Told:
    """An entry in words: `title` is the sentence, `detail` what goes with it, `amount` is written already."""

    title: str
    detail: str = ""
    amount: str = ""
    mark: Mark | None = None


def tell(entry: Entry) -> Told:
    """Tell an entry in the reader's language."""
    return _TELL[entry.source](entry.facts)


def icon(entry: Entry) -> str:
    """Return the icon of an entry's kind."""
    return KINDS[entry.kind][1]


def who(owner: str | None, team: Team | None) -> str:
    """Say who is to do something."""
    return owner or t(TEAMS[team or Team.CARE])


def talk_reason(code: str) -> str:
    """Write what a talk was about."""
    found = contact_reasons().get(code)
    return found[language()] if found else code  # type: ignore[index]


Facts = Mapping[str, Any]


def _bill(facts: Facts) -> Told:
    total = euro(facts["total_cents"])
    if facts["category"] is BillCategory.CREDIT_NOTE:
        reason = label(facts["reason"] or "", language(), facts["period_since"], facts["period_until"]) if facts["reason"] else ""
        title = t("Credit note {bill_no} on bill {refers_to}", bill_no=facts["bill_no"], refers_to=facts["refers_to"] or "")
        return Told(title, reason, f"− {total}")  # noqa: RUF001 - the typographic minus
    payable = facts["payable_until"] or facts["due_date"]
    due = t("due {due}", due=day(payable))
    title = t("Bill {bill_no} issued", bill_no=facts["bill_no"])
    if facts["state"] is BillState.SETTLED:
        return Told(title, "", total, Mark(t("Paid"), "good", "check_circle"))
    if facts["in_plan"]:
        return Told(title, due, total, Mark(t("In the plan"), "info", "calendar_month"))
    if payable < clock.today() and not facts["mandate_id"] and facts["remaining_cents"] > facts["disputed_cents"]:
        return Told(title, due, total, Mark(t("Overdue"), "bad", "error"))
    if facts["remaining_cents"] < facts["total_cents"]:
        return Told(title, due, total, Mark(t("{left_cents} left", left_cents=facts["remaining_cents"]), "watch", "timelapse"))
    return Told(title, due, total, Mark(t("To be collected") if facts["mandate_id"] else t("To pay"), "info", "schedule"))


def _payment(facts: Facts) -> Told:
    title = t("Collected by direct debit") if facts["method"] == "direct_debit" else t("Payment received")
    marks = {
        PaymentState.RETURNED: Mark(t("Sent back"), "bad", "error"),
        PaymentState.MOVED: Mark(t("Not this customer's"), "neutral", "undo"),
    }
    payer = facts["payer_name"] if facts["method"] != "direct_debit" else ""
    detail = " · ".join(filter(None, (t("bill {bills}", bills=facts["bills"]) if facts["bills"] else facts["communication"], payer)))
    return Told(title, detail, euro(facts["amount_cents"]), marks.get(facts["state"]))


def _returned(facts: Facts) -> Told:
    code = facts["return_code"] or ""
    why = t(collections.RETURN_CODES[code]) if code in collections.RETURN_CODES else ""
    of_bill = t("bill {bills}", bills=facts["bills"]) if facts["bills"] else ""
    detail = " · ".join(filter(None, (of_bill, f"{why} ({code})" if why else code)))
    return Told(t("The bank sent the collection back"), detail, f"− {euro(facts['amount_cents'])}", Mark(t("Sent back"), "bad", "error"))  # noqa: RUF001


def _refund(facts: Facts) -> Told:
    rejected = Mark(t("Rejected"), "bad", "error") if facts["state"] is RefundState.REJECTED else None
    return Told(t("Refund asked for"), mask_iban(facts["iban"]), euro(facts["amount_cents"]), rejected)


def _refunded(facts: Facts) -> Told:
    return Told(t("Refund paid"), mask_iban(facts["iban"]), euro(facts["amount_cents"]), Mark(t("Done"), "good", "check_circle"))


def _notice(facts: Facts) -> Told:
    word, _icon = STEPS[facts["step"]]
    free = t("payable without cost until {last}", last=facts["free_until"] - timedelta(days=1))
    bars = facts["step"] in {DunningStep.RESTRICTED, DunningStep.SUSPENDED, DunningStep.TERMINATED}
    detail = " · ".join((t(CHANNELS[facts["channel"]]), *(() if bars else (free,))))
    return Told(t(word), detail, euro(facts["claimed_cents"]))


def _plan(facts: Facts) -> Told:
    return Told(t("Payment plan proposed"), "", euro(facts["total_cents"]))


def _plan_accepted(facts: Facts) -> Told:
    return Told(t("Payment plan accepted"), "", euro(facts["total_cents"]))


def _plan_ended(facts: Facts) -> Told:
    word, mark = _PLAN_ENDS[facts["state"]]
    return Told(t(word), "", euro(facts["total_cents"]), Mark(t(mark.word), mark.tone, mark.icon))


def _dispute(facts: Facts) -> Told:
    mark = Mark(t("Disputed"), "watch", "balance") if facts["until"] is None else None
    return Told(t("Bill {bill_no} disputed", bill_no=facts["bill_no"]), facts["reason"], euro(facts["disputed_cents"]), mark)


def _dispute_ended(facts: Facts) -> Told:
    return Told(t(_DISPUTE_ENDS[facts["outcome"]], bill_no=facts["bill_no"]), "", euro(facts["disputed_cents"]))


def _declaration(facts: Facts) -> Told:
    return Told(t("Payment announced, waited for until {until}", until=facts["until"]), facts["proof"])


def _message(facts: Facts) -> Told:
    failed = Mark(t("Not delivered"), "bad", "error") if facts["state"] is MessageState.FAILED else None
    read = Mark(t("Read"), "neutral", "drafts") if facts["read_at"] else None
    way = t(CHANNELS[facts["channel"]])
    return Told(t("“{subject}”", subject=facts["subject"]), t("written to the customer by {way}", way=way), "", failed or read)


def _e_invoice(facts: Facts) -> Told:
    again = t("transmission no. {attempt}", attempt=facts["attempt"]) if facts["attempt"] > 1 else ""
    return Told(
        t("E-invoice of bill {bill_no} sent over Peppol", bill_no=facts["bill_no"]), " · ".join(filter(None, (facts["receiver"], again)))
    )


def _order(facts: Facts) -> Told:
    state = _ORDER_STATES[facts["state"]]
    told = [line(facts), t("by {who}", who=facts["created_by"]), t("from {on} on", on=day(facts["effective_on"]))]
    names = ordered(facts["items"])
    title = t(_ORDERS[facts["category"]])
    return Told(
        t("{what}: {which}", what=title, which=names) if names else title,
        " · ".join(filter(None, told)),
        "",
        Mark(t(state.word), state.tone, state.icon),
    )


def line(facts: Facts) -> str:
    """Write the line that an order or a setting is about: "Mobile Red · Noa · 0470 00 00 12"; nothing where it is about none."""
    code, user, number = (facts["line"] or "||").split("|")
    sold = catalogue()
    name = sold[code].name(language()) if code in sold.offerings else code
    return " · ".join(filter(None, (name, user, national(number) if number else "")))


def ordered(items: str | None) -> str:
    """Write what an order adds and ends."""
    found, sold = [], catalogue()
    for item in filter(None, (items or "").split(",")):
        action, _, code = item.partition(":")
        name = sold[code].name(language()) if code in sold.offerings else code
        found.append(_ITEMS[ItemAction(action)].format(name=name))
    return ", ".join(dict.fromkeys(found))


def _visit(facts: Facts) -> Told:
    title = t("{category} planned: {when}", category=t(CATEGORIES[facts["category"]]), when=short(facts["day"], facts["part"]))
    return Told(title, facts["appointment_no"], "", visit_mark(facts["state"]))


def visit_mark(state: AppointmentState) -> Mark:
    """Return the state of a visit."""
    word, tone, symbol = VISIT_STATES[state]
    return Mark(t(word), tone, symbol)


def _visit_moved(facts: Facts) -> Told:
    before, after = short(facts["from_day"], facts["from_part"]), short(facts["to_day"], facts["to_part"])
    title = t("{category} moved: {before} → {after}", category=t(CATEGORIES[facts["category"]]), before=before, after=after)
    return Told(title, " · ".join(filter(None, (t("by {who}", who=facts["moved_by"]), facts["reason"]))))


def _visit_outcome(facts: Facts) -> Told:
    why = t(_FAILURES[facts["failed_by"]]) if facts["failed_by"] else ""
    fee = euro(facts["fee_cents"]) if facts["fee_cents"] else ""
    category = t(CATEGORIES[facts["category"]])
    title = t("{category}: the visit took place", category=category)
    if facts["state"] is AppointmentState.FAILED:
        title = t("{category}: the visit did not take place", category=category)
    return Told(title, " · ".join(filter(None, (why, facts["appointment_no"]))), fee, visit_mark(facts["state"]))


def _document(facts: Facts) -> Told:
    word, tone, symbol = DOCUMENT_STATES[facts["state"]]
    title = t("Document handed in: {kind}", kind=t(KIND_NAMES[facts["kind"]]))
    return Told(title, " · ".join(filter(None, (facts["name"], t("by {who}", who=facts["uploaded_by"])))), "", Mark(t(word), tone, symbol))


def _document_checked(facts: Facts) -> Told:
    told = (t("by {who}", who=facts["reviewed_by"]) if facts["reviewed_by"] else "", facts["reason"])
    return Told(t("Document checked: {kind}", kind=t(KIND_NAMES[facts["kind"]])), " · ".join(filter(None, told)))


def _call(facts: Facts) -> Told:
    title = t(TALKS[facts["channel"]])
    mark = None
    if facts["reason"]:
        title = t("{what}: {which}", what=title, which=talk_reason(facts["reason"]))
    if facts["ended_at"] is None:
        mark = Mark(t("On the line"), "info", "call")
    elif facts["handed_to"]:
        mark = Mark(t("Handed over to {who}", who=target(facts["handed_to"])), "watch", "forward")
    wrong = tn("{count} wrong answer of the caller", "{count} wrong answers of the caller", facts["wrong"]) if facts["wrong"] else ""
    if wrong and mark is None:
        mark = Mark(t("Wrong answer"), "watch", "shield_question")
    return Told(title, " · ".join(filter(None, (facts["agent"], wrong, _short(facts["note"])))), "", mark)


def target(name: str) -> str:
    """Write who went on with a talk: a team by its name, a colleague by his."""
    return t(TEAMS[Team(name)]) if name in {team.value for team in Team} else name


def _note(facts: Facts) -> Told:
    mark = Mark(t("Pinned note"), "info", "keep") if facts["pinned"] else None
    if facts["until_at"] is not None:
        mark = Mark(t("Withdrawn"), "neutral", "undo")
    reworded = t("reworded") if facts["replaces_id"] else ""
    return Told(_short(facts["text"]), " · ".join(filter(None, (t("note by {who}", who=facts["author"]), reworded))), "", mark)


def _tag(facts: Facts) -> Told:
    until = t("until {last}", last=facts["until"] - timedelta(days=1)) if facts["until"] else ""
    mark = Mark(t("Taken off"), "neutral", "undo") if facts["ended_at"] else None
    return Told(t("Tag “{word}”", word=facts["word"]), " · ".join(filter(None, (t("by {who}", who=facts["owner"]), until))), "", mark)


def _task(facts: Facts) -> Told:
    word = task_word(facts["code"], facts["words"])
    due = t("by {due} at the latest", due=day(facts["due"])) if facts["due"] else ""
    mark = Mark(t("Done"), "good", "check_circle") if facts["done_at"] else Mark(t("To do"), "watch", "pending_actions")
    given = who(facts["owner"], facts["team"] or tasks.team_of(facts["code"]))
    return Told(t("To do: {what}", what=word), " · ".join(filter(None, (given, due))), "", mark)


def _task_done(facts: Facts) -> Told:
    by = t("by {who}", who=facts["done_by"]) if facts["done_by"] else ""
    done = t("Done: {what}", what=task_word(facts["code"], facts["words"]))
    return Told(done, " · ".join(filter(None, (by, facts["done_words"]))), "", Mark(t("Done"), "good", "check_circle"))


def _change(facts: Facts) -> Told:
    title = t(_CHANGES[facts["action"]])
    after = facts["after"] or {}
    if facts["action"] == "macro:run":
        name = after.get("name", {}).get(language(), after.get("macro", ""))
        title = t("{what}: {which}", what=title, which=name)
    detail = [line(facts), t("by {who}", who=facts["actor"]), facts["reason"]]
    values = change_words.changed(facts["before"], facts["after"])
    if facts["action"] in _SETTINGS:
        title = t("{what}: {which}", what=title, which=", ".join(found for _name, found in values)) if values else title
    elif facts["action"] in _VALUES:
        detail.insert(1, "; ".join(t("{what}: {which}", what=name, which=found) for name, found in values))
    wrong = facts["action"] == "question:check" and not (facts["after"] or {}).get("match", True)
    return Told(title, _short(" · ".join(filter(None, detail))), "", Mark(t("Wrong answer"), "watch", "shield_question") if wrong else None)


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _WORDS_SHOWN else f"{words[: _WORDS_SHOWN - 1].rstrip()}…"


_TELL: dict[str, Callable[[Facts], Told]] = {
    "bill": _bill, "call": _call, "change": _change, "declaration": _declaration, "dispute": _dispute, "dispute_ended": _dispute_ended,
    "document": _document, "document_checked": _document_checked, "e_invoice": _e_invoice, "message": _message, "note": _note, "notice": _notice,
    "order": _order, "payment": _payment, "plan": _plan, "plan_accepted": _plan_accepted, "plan_ended": _plan_ended, "refund": _refund,
    "refunded": _refunded, "returned": _returned, "tag": _tag, "task": _task, "task_done": _task_done, "visit": _visit,
    "visit_moved": _visit_moved, "visit_outcome": _visit_outcome,
}  # fmt: skip
