"""At the end of the tabs: the one click that opens a talk, or whom the reader has on the line."""

import streamlit as st

from core.actor import Permission
from core.services.customers import Marks
from core.ui import navigation, talk_card
from core.ui.gate import Visit
from core.ui.text import t


def show(visit: Visit, marks: Marks) -> None:
    """Draw it for who takes calls."""
    if not visit.actor.may(Permission.INTERACTION_WRITE):
        return
    if marks.on_the_line is None:
        talk_card.begin_button(visit, label=t("Caller on the line"))
        return
    talk_card.follow(visit)
    here = marks.on_the_line == visit.customer.customer_no
    label = t("On the line") if here else t("On the line: {customer_no}", customer_no=marks.on_the_line)
    query = navigation.customer_query(marks.on_the_line)
    st.page_link(navigation.page("timeline"), label=f":green[{label}]", icon=":material/call:", query_params=query)
