"""Domiciliations: what is collected next, files for the bank, what came back."""

from datetime import timedelta

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.db import reading
from core.services import collection_runs, returns
from core.ui import bank_answer, collection_parts, gate
from core.ui.parts import draw, empty, head
from core.ui.text import t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom; returns are listed for as long as a holder may ask for his money back."""
    since = clock.today() - timedelta(weeks=law("direct_debit_refund_weeks"))
    with reading() as session:
        coming = collection_runs.upcoming(session, actor)
        files = collection_runs.batches(session, actor)
        back = returns.since(session, actor, day=since)
    draw(head(t("Direct debits"), 1))
    collection_parts.answer()
    show_coming(coming)
    collection_parts.show_files(files)
    bank_answer.show(actor)
    collection_parts.show_returns(back, since)


def show_coming(coming: collection_runs.Upcoming) -> None:
    """Show each day on which something is to be collected, then what can't be."""
    for due in coming.days:
        collection_parts.show_day(due)
    if not coming.days:
        empty(t("Nothing waits to be collected: the next bills bring the next day."))
    if coming.blocked:
        collection_parts.show_blocked(coming.blocked)


main(gate.enter_desk(Permission.COLLECTION_RUN))
