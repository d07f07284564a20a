"""Facturation: the bills of a day, and what else is done by itself."""

from core.actor import Actor, Permission
from core.ui import gate
from core.ui.parts import empty, heading
from core.ui.text import t


def main(_actor: Actor) -> None:
    """Tell the page from top to bottom."""
    heading(t("Bill runs"))
    empty(t("No bills were made yet."))


main(gate.enter_desk(Permission.JOB_RUN))
