"""Domiciliations: what is collected next, files for the bank, what came back."""

from core.actor import Actor, Permission
from core.ui import gate
from core.ui.parts import empty, heading
from core.ui.text import t


def main(_actor: Actor) -> None:
    """Tell the page from top to bottom."""
    heading(t("Direct debits"))
    empty(t("Nothing is to be collected."))


main(gate.enter_desk(Permission.COLLECTION_RUN))
