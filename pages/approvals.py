"""Approbations: credits above a limit, which a second person lets pass."""

from core.actor import Actor, Permission
from core.ui import gate
from core.ui.parts import empty, heading
from core.ui.text import t


def main(_actor: Actor) -> None:
    """Tell the page from top to bottom."""
    heading(t("Approvals"))
    empty(t("Nothing waits for an approval."))


main(gate.enter_desk(Permission.CREDIT_WRITE))
