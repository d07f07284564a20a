"""What a search found: asked and written down in one place, and told alike beneath the box and on the agents' page."""

from collections.abc import Sequence

import streamlit as st

from core.actor import Actor
from core.db import reading, transaction
from core.errors import N_
from core.models.customer import CustomerStatus
from core.services import looks, search
from core.services.search import Hit
from core.services.search_terms import Why
from core.services.usage_numbers import national
from core.ui import navigation
from core.ui.text import t

WHY = {
    Why.CUSTOMER_NO: N_("customer no."),
    Why.NAME: "",
    Why.HOLDER: N_("contact: {found}"),
    Why.NEAR: N_("close to “{term}”"),
    Why.PHONE: N_("phone {found}"),
    Why.LINE: N_("line {found}"),
    Why.EMAIL: N_("e-mail {found}"),
    Why.BILL: N_("bill {found}"),
    Why.OGM: N_("communication {found}"),
    Why.NEAR_OGM: N_("bill {found}: its communication is nearly the same"),
    Why.ENTERPRISE_NO: N_("enterprise no. {found}"),
    Why.PRODUCT: N_("product {found}"),
    Why.ORDER: N_("order {found}"),
    Why.APPOINTMENT: N_("visit {found}"),
    Why.ADDRESS: N_("address: {found}"),
}
_PAGES = {
    Why.BILL: "bills",
    Why.OGM: "bills",
    Why.NEAR_OGM: "bills",
    Why.ORDER: "timeline",
    Why.APPOINTMENT: "appointments",
    Why.EMAIL: "account",
    Why.ADDRESS: "account",
}
_UNSURE = {Why.NEAR, Why.NEAR_OGM}
_NOTED = "_noted_hits"


def ask(actor: Actor, term: str, *, limit: int) -> list[Hit]:
    """Search, and write down that and whom it showed: once for a list, not for each pause in typing. Raises WrongCheckDigits."""
    with reading() as session:
        found = search.find(session, actor, term=term, limit=limit)
    shown = {hit.customer_no: hit.why.value for hit in found}
    if st.session_state.get(_NOTED) != shown:
        with transaction() as session:
            search.note(session, actor, found=found)
            looks.note_hits(session, actor, hits=shown)
        st.session_state[_NOTED] = shown
    return found


def sure(found: Sequence[Hit]) -> bool:
    """Whether there is one customer who is meant, so that his file may open by itself."""
    return len(found) == 1 and found[0].why not in _UNSURE


def page(hit: Hit) -> str:
    """Return the page that shows what was found."""
    return _PAGES.get(hit.why, "home")


def query(hit: Hit) -> dict[str, str]:
    """Return the address of a hit: a bill or an order that was searched is opened itself; a line, product, phone or visit is marked where it stands."""
    told = {"bill": hit.opens or hit.found} if hit.why in {Why.BILL, Why.OGM, Why.NEAR_OGM} else {}
    told |= {"entry": f"order-{hit.opens}"} if hit.why is Why.ORDER else {}
    told |= {navigation.FOUND: hit.found} if hit.why in {Why.PHONE, Why.LINE, Why.PRODUCT, Why.APPOINTMENT} else {}
    return navigation.customer_query(hit.customer_no) | told


def why(hit: Hit, term: str) -> str:
    """Tell why somebody was found; nothing where his name says it."""
    found = national(hit.found) if hit.why in {Why.PHONE, Why.LINE} else hit.found
    return t(WHY[hit.why], found=found, term=term) if WHY[hit.why] else ""


def contact(hit: Hit) -> str:
    """Write how somebody is reached."""
    return national(hit.contact) if hit.contact.startswith("+") else hit.contact


def ended(hit: Hit) -> bool:
    """Whether the customer left."""
    return hit.status is CustomerStatus.CLOSED
