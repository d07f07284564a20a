"""Historique: all that happened in a file, for the house alone; beside it what we note, what is left to do, and who is on the line."""

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.services import timeline
from core.ui import gate, macro_card, note_card, talk_card, task_card, timeline_drawer, timeline_rows
from core.ui.gate import Visit


def main(visit: Visit) -> None:
    """Tell the page from left to right, on a phone from top to bottom."""
    timeline_rows.keep_address(visit)
    beside, story = st.columns([2, 5], gap="medium")
    with beside:
        show_desk(visit)
    with story:
        show_story(visit)
    timeline_drawer.open_named()


def show_desk(visit: Visit) -> None:
    """Show who is on the line, what can be done in one go, what we note, and what is left to do."""
    talk_card.show(visit)
    macro_card.show(visit)
    note_card.show(visit)
    task_card.show(visit)


def show_story(visit: Visit) -> None:
    """Show what happened, the newest first."""
    kinds, on, before = timeline_rows.asked()
    with reading() as session:
        page = timeline.of_customer(session, visit.actor, customer_id=visit.customer.id, kinds=kinds, until=on, before=before)
    timeline_rows.show_filters(visit, kinds, on)
    timeline_rows.show(visit, page, paged=before is not None or on is not None)


main(gate.enter(Permission.TIMELINE_READ))
