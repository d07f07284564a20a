"""Pilotage: what a team lead looks at first. Each figure opens the list that it counts."""

import streamlit as st

from core.actor import Actor, Permission
from core.db import reading
from core.services import dashboard
from core.ui import dashboard_parts, gate
from core.ui.parts import draw, head
from core.ui.text import t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    kind = dashboard_parts.chosen_kind()
    with reading() as session:
        work = dashboard.work(session, actor)
        ages = dashboard.ages(session, actor)
        visits = dashboard.visits(session, actor)
        reasons = dashboard.reasons(session, actor)
        hours = dashboard.hours(session, actor, kind=kind)
    draw(head(t("Team overview"), 1))
    dashboard_parts.show_work(work)
    with st.grid(2, min_column_width=340, gap="small"):
        dashboard_parts.show_ages(ages)
        dashboard_parts.show_visits(visits)
        dashboard_parts.show_reasons(reasons)
        dashboard_parts.show_hours(kind, hours)


main(gate.enter_desk(Permission.DASHBOARD_READ))
