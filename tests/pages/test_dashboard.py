"""The team lead's page: figures, charts with their rows, and the way to each list."""

from datetime import date

import pytest

from core import clock
from core.actor import SYSTEM
from core.models.interaction import Interaction, InteractionChannel
from core.models.usage import UsageKind
from core.services import network_hours, usage
from core.services.usage import NewEvent
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import open_tab, texts
from tests.services import money_stories


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo with a late bill, a call, and an hour of use."""
    with new_demo() as session:
        one = make_customer(session, customer_no="10000017")
        line = make_product(session, one, "TRIO")
        money_stories.bill(session, one, date(2026, 9, 5), bill_no="2609000017")
        session.add(
            Interaction(
                customer_id=one.id,
                channel=InteractionChannel.PHONE,
                reason="breakdown",
                at=clock.now(),
                ended_at=clock.now(),
                agent="agent",
            )
        )
        usage.record(session, SYSTEM, events=[NewEvent(one.id, line.id, clock.at(date(2026, 11, 17), 20), 1, UsageKind.DATA, 2_000_000)])
        network_hours.count_day(session, SYSTEM, clock.today())


def links(who: str = "senior") -> dict[str, str]:
    screen = open_tab(who)
    screen.switch_page("../pages/dashboard.py").run()
    assert not screen.exception
    return {link.proto.label.replace("\\", "").replace("\xa0", " "): link.proto.query_string for link in screen.get("page_link")}


class TestDashboard:
    def test_every_figure_opens_its_list(self) -> None:
        found = links()
        assert "view=tasks_open" in found["**0** Tâches ouvertes"]
        assert "due.ge.%24today-60" in found["31 – 60 jours"]
        assert "reason.eq.breakdown" in found["Panne"]
        assert "hour.eq.20" in found["20 h"]

    @pytest.mark.parametrize("who", ["agent", "viewer", "product"])
    def test_is_not_for_everybody(self, who: str) -> None:
        screen = open_tab(who)
        screen.switch_page("../pages/dashboard.py").run()
        assert "droit" in " ".join(one.value for one in screen.warning)
        assert "Travail ouvert" not in texts(screen)
