"""Payments: statements of the bank, and money that waits for its bill."""

from core.actor import Actor, Permission
from core.ui import gate
from core.ui.parts import empty, heading
from core.ui.text import t


def main(_actor: Actor) -> None:
    """Tell the page from top to bottom."""
    heading(t("Payments"))
    empty(t("No statement was taken in yet."))


main(gate.enter_desk(Permission.PAYMENT_RECORD))
