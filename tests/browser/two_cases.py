"""Each form that carries what it showed: where it is, and what two people do with it who both have it open.

The second one types, the first one types and saves, and then the second one saves what is no longer so. What he typed is named in `keeps`:
it is still there, unless the form itself is gone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.browser.walker import Walker

Names = Mapping[str, str | int]
"""How what stands on the files is called: `two_scene` says it."""
Act = Callable[[Walker, Names], None]

P01_NOA, P10_TRIO = "1000001705", "1000010901"
CHANGED = "Modifié par {who} à"
DECIDED = "Cette demande a été traitée par {who} le"


@dataclass(frozen=True)
class Case:
    """A form: its address, how it is opened, filled and saved, by whom, and what the second one is told. `first` is where he does otherwise."""

    path: str
    opens: Act
    saves: Act
    types: Act = lambda _who, _names: None
    first: Act | None = None
    who: tuple[str, str] = ("senior", "agent")
    keeps: Mapping[str, str] = field(default_factory=dict)
    told: str = CHANGED


def click(*keys: str) -> Act:
    """Click some buttons, named by their keys, one after the other."""

    def clicks(who: Walker, names: Names) -> None:
        for one in keys:
            who.clicks(one.format_map(names))

    return clicks


def fill(fields: Mapping[str, str], *keys: str) -> Act:
    """Type into some fields, then click some buttons."""

    def fills(who: Walker, names: Names) -> None:
        for one, text in fields.items():
            who.types(one.format_map(names), text)
        click(*keys)(who, names)

    return fills


def unfold(words: str) -> Act:
    """Open what is folded, or a bubble, by its words."""
    return lambda who, _names: who.unfolds(words)


def both(*acts: Act) -> Act:
    """Do one after the other."""

    def do(who: Walker, names: Names) -> None:
        for act in acts:
            act(who, names)

    return do


def pick(name: str, choice: str) -> Act:
    """Pick a choice of a list."""
    return lambda who, names: who.picks(name.format_map(names), choice)


def tick(name: str) -> Act:
    """Tick a box."""
    return lambda who, names: who.presses(name.format_map(names), "Space")


def radio(name: str, number: int) -> Act:
    """Choose one of some rounds."""
    return lambda who, names: who.part(name.format_map(names)).locator("[role=radiogroup] label").nth(number).click()


def see(part: str) -> Act:
    """Wait until a part of the screen stands."""
    return lambda who, names: who.part(part.format_map(names)).first.wait_for()


_STORY = "/timeline?customer="
_BILLS = "/bills?customer="
_LEADS, _AGENT, _BILLING = ("senior", "admin"), ("agent", "agent"), ("billing", "billing")
_OUTCOME = "appointments:outcome_kind:{visit/fail}"
_MANDATE = {"bills:mandate:holder": "Yanis B.", "bills:mandate:iban": "BE68 5390 0754 7034"}
_QUESTION = {"security:question": "Which boat?", "security:answer": "Albatros", "security:question:current": "demo-Guichet-2026"}
_ERASED = {"account:data:reason": "letter of today", "account:data:number": "10000130"}
_WORDS = "desk:note:words:card:{note/reword}"
_HAND = "desk:task:to:card:{task/hand_over}"
_DONE = "desk:task:words:card:{task/complete}"

CASES: Mapping[str, Case] = {
    "alerts.set_alerts": Case(
        "/home?customer=10000017", click(f"home:settings:{P01_NOA}"), click(f"home:alert:{P01_NOA}:save"),
        types=pick(f"home:alert:{P01_NOA}:channel", "E-mail"),
        first=both(pick(f"home:alert:{P01_NOA}:channel", "SMS"), click(f"home:alert:{P01_NOA}:save")),
        keeps={f"home:alert:{P01_NOA}:channel": "E-mail"},
    ),
    "caps.set_cap": Case(
        "/home?customer=10000017", click(f"home:settings:{P01_NOA}"), click(f"home:cap:{P01_NOA}:save"),
        types=pick(f"home:cap:{P01_NOA}:choice", "10,00 €"),
        first=both(pick(f"home:cap:{P01_NOA}:choice", "25,00 €"), click(f"home:cap:{P01_NOA}:save")),
        keeps={f"home:cap:{P01_NOA}:choice": "10,00 €"},
    ),
    "orders.confirm": Case(
        "/home?customer=10000109", both(click(f"home:options:{P10_TRIO}:phone"), tick(f"home:option:{P10_TRIO}:TEL_OFFPEAK")),
        click("home:review:confirm"), types=see("card-review"),
    ),
    "move_progress.postpone": Case("/home?customer=10000079", click("home:move"), click("home:move:postpone")),
    "move_progress.cancel": Case("/home?customer=10000079", click("home:move"), click("home:move:cancel")),
    "appointments.move": Case(
        "/appointments?customer=10000031", click("appointments:move:{visit/move}"), click("appointments:confirm"), types=see("card-review"),
    ),
    "appointments.cancel": Case(
        "/appointments?customer=10000109", click("appointments:cancel:{visit/cancel}"), click("appointments:cancel_confirm:{visit/cancel}"),
    ),
    "appointments.complete": Case(
        "/appointments?customer=10000017", click("appointments:outcome:{visit/complete}"), click("appointments:outcome_save:{visit/complete}"),
    ),
    "appointments.fail": Case(
        "/appointments?customer=10000024", click("appointments:outcome:{visit/fail}"), click("appointments:outcome_save:{visit/fail}"),
        types=radio(_OUTCOME, 2), first=both(radio(_OUTCOME, 3), click("appointments:outcome_save:{visit/fail}")),
    ),
    "approvals.approve": Case("/approvals", see("card-approval-{approval/approve}"), click("approvals:approve:{approval/approve}"), who=_LEADS, told=DECIDED),
    "approvals.refuse": Case(
        "/approvals", see("card-approval-{approval/refuse}"), click("approvals:refuse:{approval/refuse}"),
        types=fill({"approvals:note:{approval/refuse}": "Not this one"}), who=_LEADS, told=DECIDED,
    ),
    "approvals.withdraw": Case(
        "/approvals", see("card-approval-{approval/withdraw}"), click("approvals:withdraw:{approval/withdraw}"), who=_AGENT, told=DECIDED,
    ),
    "contacts.change": Case(
        "/account?customer=10000093", click("account:edit"), click("account:save"), types=fill({"account:street": "Rue de Bruxelles"}),
        first=fill({"account:phone": "0470 00 00 31"}, "account:save"),
        keeps={"account:street": "Rue de Bruxelles", "account:phone": "0470 00 00 31"},
    ),
    "flags.change": Case(
        "/account?customer=10000062", click("account:flags"), click("account:flag:save"),
        types=both(tick("account:flag:vip"), fill({"account:flag:reason": "minister"})),
        first=both(tick("account:flag:vulnerable"), click("account:flag:save")), who=_LEADS, keeps={"account:flag:reason": "minister"},
    ),
    "changes.revert": Case(
        "/account?customer=10000086", both(click("changes:customer"), click("changes:back:{entry}")), click("changes:revert:{entry}"), who=_LEADS,
    ),
    "erasure.erase": Case(
        "/account?customer=10000130", click("account:data:erase"), click("account:data:confirm"), types=fill(_ERASED), who=_LEADS,
    ),
    "documents.review": Case(
        "/account?customer=10000093", click("account:review:{document/review}"), click("account:review:reject"),
        types=fill({"account:review:reason": "too dark"}), first=click("account:review:accept"),
    ),
    "documents.withdraw": Case(
        "/account?customer=10000109", click("account:withdraw:{document/withdraw}"), click("account:withdraw:save:{document/withdraw}"),
    ),
    "dunning.hold": Case(_BILLS + "{hold}", unfold("Mettre le suivi en pause"), click("bills:hold")),
    "dunning.release": Case(_BILLS + "{release}", see("card-arrears"), click("bills:release")),
    "payment_plans.propose_plan": Case(_BILLS + "{propose}", unfold("Proposer un plan de paiement"), click("bills:plan:propose")),
    "payment_plans.withdraw": Case(_BILLS + "{withdraw}", see("card-arrears"), click("bills:plan:withdraw")),
    "payment_plans.accept": Case(_BILLS + "10000055", see("card-arrears"), click("bills:plan:accept")),
    "mandate_signing.amend": Case(
        _BILLS + "10000031", unfold("Changer de compte"), click("bills:mandate:save"), types=both(fill(_MANDATE), tick("bills:mandate:consent")),
        first=both(fill({"bills:mandate:iban": "BE77 5390 0000 1242"}), tick("bills:mandate:consent"), click("bills:mandate:save")), keeps=_MANDATE,
    ),
    "mandates.cancel": Case(_BILLS + "10000079", unfold("Arrêter la domiciliation"), click("bills:mandate:cancel")),
    "refunds.complete": Case(
        _BILLS + "{refund/complete/file}&details={refund/complete/note}", see("drawer"), click("bills:refund:done:{refund/complete}"), who=_BILLING,
    ),
    "refunds.reject": Case(
        _BILLS + "{refund/reject/file}&details={refund/reject/note}", see("drawer"), click("bills:refund:rejected:{refund/reject}"), who=_BILLING,
    ),
    "e_invoices.send": Case(_BILLS + "10000048&details=2611000048", see("drawer"), click("bills:einvoice:2611000048")),
    "interactions.end": Case(
        _STORY + "10000024", see("card-talk"), click("desk:talk:end"), who=_AGENT,
        types=both(pick("desk:talk:reason:{talk}", "Question sur une facture"), fill({"desk:talk:words:{talk}": "Explained"})),
    ),
    "notes.pin": Case(_STORY + "10000017", see("card-notes"), click("desk:note:keep:card:{note/pin}")),
    "notes.reword": Case(
        _STORY + "10000024", see("card-notes"), click("desk:note:reword:card:{note/reword}"),
        types=both(click("desk:note:edit:card:{note/reword}"), fill({_WORDS: "What I typed"})), first=click("desk:note:keep:card:{note/reword}"), keeps={_WORDS: "What I typed"},
    ),
    "notes.withdraw": Case(
        _STORY + "10000031", click("desk:note:edit:card:{note/withdraw}"), click("desk:note:withdraw:card:{note/withdraw}"), who=_AGENT,
    ),
    "tags.end": Case(_STORY + "10000048", click("desk:tag:{tag}"), click("desk:tag:end:{tag}")),
    "tasks.complete": Case(
        _STORY + "10000017", click("desk:task:done:card:{task/complete}"), click("desk:task:complete:card:{task/complete}"),
        types=fill({_DONE: "Called back"}),
        first=both(
            click("desk:task:hand:card:{task/complete}"), pick("desk:task:to:card:{task/complete}", "Annick Renard (admin)"),
            click("desk:task:hand_over:card:{task/complete}"),
        ),
        keeps={_DONE: "Called back"},
    ),
    "tasks.hand_over": Case(
        _STORY + "10000024", click("desk:task:hand:card:{task/hand_over}"), click("desk:task:hand_over:card:{task/hand_over}"),
        types=pick(_HAND, "Bart Claes (billing)"),
        first=both(pick(_HAND, "Annick Renard (admin)"), click("desk:task:hand_over:card:{task/hand_over}")), keeps={_HAND: "Bart Claes (billing)"},
    ),
    "tasks.reopen": Case(
        _STORY + "10000031&entry=task-{task/reopen}", see("drawer"), click("desk:task:reopen:drawer:{task/reopen}"),
    ),
    "saved_views.change": Case("/lists?of=bills&view={view/change}&sort=date", see("lists:view:change"), click("lists:view:change"), who=_LEADS),
    "saved_views.remove": Case("/lists?of=bills&view={view/remove}", see("lists:view:remove"), click("lists:view:remove"), who=_LEADS),
    "security.set_question": Case(
        "/security", see("security:question"), click("security:question:save"), types=fill(_QUESTION), who=("p01", "p01"),
        first=fill(_QUESTION | {"security:question": "Which street?"}, "security:question:save"), keeps={"security:question": "Which boat?"},
    ),
}  # fmt: skip
"""Verb that a click carries out, and its form."""
