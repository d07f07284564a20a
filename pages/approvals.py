"""Approbations: what a colleague asked for above his limit, and a second person lets pass."""

from core.actor import Actor, Permission
from core.db import reading
from core.services import approvals
from core.services.approvals import Request
from core.ui import approval_card, forms, gate, parts
from core.ui.parts import Mark
from core.ui.text import t, tn


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    with reading() as session:
        waiting = approvals.pending(session, actor)
        decided = approvals.recent(session, actor)
        for_me = approvals.count(session, actor)
    show_head(for_me)
    forms.answer(approval_card.FORM)
    show_waiting(actor, waiting)
    show_decided(decided)


def show_head(for_me: int) -> None:
    """Say how much waits for the reader."""
    waits = [Mark(tn("{count} waits for you", "{count} wait for you", for_me), "watch", "hourglass_top")] if for_me else []
    parts.draw(parts.head(t("Approvals"), 1, marks=waits))


def show_waiting(actor: Actor, waiting: list[Request]) -> None:
    """Show what waits, the oldest first."""
    if not waiting:
        parts.empty(t("Nothing waits for an approval."))
    for one in waiting:
        approval_card.show(actor, one)


def show_decided(decided: list[Request]) -> None:
    """Show the newest decisions."""
    if decided:
        parts.heading(t("Decided"), 3)
        for one in decided:
            approval_card.show_decided(one)


main(gate.enter_desk(Permission.CREDIT_WRITE))
