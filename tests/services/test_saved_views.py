"""Views: mine are mine, the team's are the team's, and a locked one is changed by a team lead alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.saved_view import Ownership
from core.services import list_filters, lists, saved_views
from core.services.list_columns import UnknownColumn
from core.services.list_filters import WrongValue, read
from core.services.list_nouns import listings_of
from core.services.lists import Query
from core.services.saved_views import FILE, Locked, NameTaken, OtherList, View
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER
from tests.services.test_lists import ADMIN

OTHER = Actor(user_id=None, username="other", role=Role.AGENT)
SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
LATE = Query("bills", read("late.eq.yes"), ("bill_no", "left"), "-left")


def saved(session: Session, actor: Actor, ownership: Ownership, name: str = "Late", query: Query = LATE) -> View:
    return saved_views.find(session, actor, code=saved_views.save(session, actor, name=name, ownership=ownership, query=query))


class TestSave:
    def test_keeps_filter_columns_and_order(self, session: Session) -> None:
        assert saved(session, AGENT, Ownership.MINE).query == LATE

    def test_my_own_is_seen_by_me_alone(self, session: Session) -> None:
        mine = saved(session, AGENT, Ownership.MINE)
        assert mine in saved_views.of_list(session, AGENT, noun="bills")
        assert mine not in saved_views.of_list(session, OTHER, noun="bills")
        with pytest.raises(NotFound):
            saved_views.find(session, OTHER, code=mine.code)

    def test_the_team_sees_and_changes_its_own(self, session: Session) -> None:
        team = saved(session, AGENT, Ownership.TEAM)
        saved_views.change(session, OTHER, view_id=team.id or 0, shown_version=team.version, query=Query("bills"), name="All")
        assert saved_views.find(session, VIEWER, code=team.code).query == Query("bills")

    def test_a_reader_shares_nothing_and_an_agent_locks_nothing(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            saved(session, VIEWER, Ownership.TEAM)
        with pytest.raises(NotPermitted):
            saved(session, AGENT, Ownership.LOCKED)
        assert saved(session, VIEWER, Ownership.MINE)

    def test_a_locked_one_is_changed_by_a_team_lead_alone(self, session: Session) -> None:
        locked = saved(session, SENIOR, Ownership.LOCKED)
        with pytest.raises(Locked):
            saved_views.change(session, AGENT, view_id=locked.id or 0, shown_version=locked.version, query=Query("bills"), name="x")
        with pytest.raises(Locked):
            saved_views.remove(session, AGENT, view_id=locked.id or 0, shown_version=locked.version)
        saved_views.remove(session, ADMIN, view_id=locked.id or 0, shown_version=locked.version)
        with pytest.raises(NotFound):
            saved_views.find(session, ADMIN, code=locked.code)

    def test_two_views_have_two_names(self, session: Session) -> None:
        saved(session, AGENT, Ownership.MINE)
        saved(session, AGENT, Ownership.TEAM)
        saved(session, OTHER, Ownership.MINE)
        for ownership in (Ownership.MINE, Ownership.TEAM):
            with pytest.raises(NameTaken):
                saved(session, AGENT, ownership)
        with pytest.raises(NameTaken):
            saved(session, SENIOR, Ownership.LOCKED)

    def test_the_second_writer_is_told(self, session: Session) -> None:
        team = saved(session, AGENT, Ownership.TEAM)
        change: dict[str, Any] = {"view_id": team.id or 0, "shown_version": team.version, "query": Query("bills")}
        saved_views.change(session, AGENT, **change, name="All")
        with pytest.raises(ChangedMeanwhile):
            saved_views.change(session, OTHER, **change, name="Mine")

    def test_stays_a_view_of_its_list(self, session: Session) -> None:
        mine = saved(session, AGENT, Ownership.MINE)
        with pytest.raises(OtherList):
            saved_views.change(session, AGENT, view_id=mine.id or 0, shown_version=mine.version, query=Query("customers"), name="Late")
        assert saved_views.find(session, AGENT, code=mine.code) == mine

    def test_what_the_list_would_refuse_is_not_saved(self, session: Session) -> None:
        with pytest.raises(WrongValue):
            saved(session, AGENT, Ownership.MINE, query=Query("bills", read("late.eq.perhaps")))
        with pytest.raises(UnknownColumn):
            saved(session, AGENT, Ownership.MINE, query=Query("bills", columns=("secret",)))
        with pytest.raises(Missing):
            saved(session, AGENT, Ownership.MINE, name="  ")

    def test_every_change_is_in_the_trail(self, session: Session) -> None:
        team = saved(session, AGENT, Ownership.TEAM)
        saved_views.change(session, AGENT, view_id=team.id or 0, shown_version=team.version, query=Query("bills", sort="date"), name="Late")
        saved_views.remove(session, AGENT, view_id=team.id or 0, shown_version=team.version + 1)
        with pytest.raises(ChangedMeanwhile) as refusal:
            saved_views.remove(session, SENIOR, view_id=team.id or 0, shown_version=team.version + 1)
        assert refusal.value.params["who"] == AGENT.username
        entries = session.exec(select(AuditEntry).where(AuditEntry.object_type == "saved_view").order_by("id")).all()
        assert [entry.action for entry in entries] == ["view:save", "view:change", "view:remove"]
        assert entries[1].before == {"where": "and(late.eq.yes)", "columns": "bill_no,left", "sort": "-left"}


class TestTrade:
    def test_every_view_of_the_trade_can_be_opened_by_who_may_see_its_list(self, session: Session) -> None:
        for noun in listings_of(ADMIN):
            for view in saved_views.of_list(session, ADMIN, noun=noun):
                assert lists.page(session, ADMIN, query=view.query).rows == ()
                assert list_filters.write(view.query.where)
                assert not view.may_change(ADMIN)

    @pytest.mark.parametrize("facts", [{"of": "gone"}, {"where": "and(late.eq.never)"}, {"colour": "red"}, {"name": {"fr": "Une seule"}}])
    def test_a_mistake_in_the_file_is_named(self, tmp_path: Path, facts: dict[str, object]) -> None:
        told = yaml.safe_load(FILE.read_text("utf-8"))
        told["overdue"] |= facts
        (tmp_path / "views.yaml").write_text(yaml.safe_dump(told), "utf-8")
        with pytest.raises(ValueError, match="overdue"):
            saved_views._read(tmp_path / "views.yaml", 1)


@pytest.mark.parametrize("verb", ["change", "remove"])
def test_another_ones_own_view_is_not_found(session: Session, verb: str) -> None:
    mine, other = (Actor(user_id=None, username=name, role=Role.SENIOR) for name in ("one", "other"))
    code = saved_views.save(session, mine, name="Mine", ownership=Ownership.MINE, query=Query("bills"))
    given = {"query": Query("bills"), "name": "Mine"} if verb == "change" else {}
    with pytest.raises(NotFound):
        getattr(saved_views, verb)(session, other, view_id=int(code[1:]), shown_version=1, **given)
