"""Facturation: the bills of a day, and what else is done by itself."""

from core.actor import Actor, Permission
from core.db import reading
from core.services import bill_runs, jobs
from core.ui import gate, run_parts
from core.ui.parts import draw, head
from core.ui.text import t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    with reading() as session:
        due = list(jobs.due(session, actor))
        coming = bill_runs.upcoming(session, actor)
        runs = bill_runs.newest(session, actor)
        states = jobs.states(session, actor)
    draw(head(t("Bill runs"), 1))
    run_parts.show_due(actor, due)
    if coming:
        run_parts.show_next(actor, coming)
    run_parts.show_runs(actor, runs)
    run_parts.show_jobs(states)


main(gate.enter_desk(Permission.JOB_RUN))
