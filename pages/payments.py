"""Payments: money that waits for its bill, and statements of the bank."""

from core.actor import Actor, Permission
from core.ui import gate, payment_queue, statement_parts
from core.ui.parts import draw, head
from core.ui.text import t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom: who answers the telephone gives money to its bill, the billing team takes statements in too."""
    draw(head(t("Payments"), 1))
    payment_queue.show(actor)
    if actor.may(Permission.STATEMENT_IMPORT):
        statement_parts.show_upload(actor)
        statement_parts.show_list(actor)


main(gate.enter_desk(Permission.PAYMENT_RECORD))
