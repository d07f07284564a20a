"""Lists as files: exactly the rows of the filter, exact to the cent, and nothing that a spreadsheet would run."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import Session, select

from core.errors import NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.interaction import Interaction, InteractionChannel
from core.services import list_export, lists
from core.services.list_export import Format, TooMany
from core.services.list_filters import read
from core.services.lists import Query
from tests.builders import AGENT, make_customer
from tests.services.test_lists import ADMIN, crowd

QUERY = Query("bills", read("kind.in.(normal)"), ("bill_no", "customer", "date", "state", "left", "late", "issued"), "bill_no")


@pytest.fixture
def people(session: Session) -> list[Customer]:
    return crowd(session)


def made(session: Session, kind: Format, query: Query = QUERY) -> io.BytesIO:
    file = io.BytesIO()
    list_export.export(session, ADMIN, query=query, file_format=kind, language="fr", file=file)
    file.seek(0)
    return file


class TestExport:
    def test_a_csv_holds_the_rows_of_the_list_in_its_order(self, session: Session, people: list[Customer]) -> None:
        text = made(session, Format.CSV).read().decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text), delimiter=";")
        assert head[0] == "N° de facture"
        assert head[4].endswith("(EUR)")
        assert [row[0] for row in rows] == [row.object_no for row in lists.every(session, ADMIN, query=QUERY, most=1000)]
        assert rows[0][2] == "2026-09-05"
        assert rows[0][4].endswith(",00")
        assert rows[0][6] == "2026-09-05 06:00:00"  # Brussels, not UTC.

    def test_a_workbook_holds_numbers_and_days(self, session: Session, people: list[Customer]) -> None:
        _head, first, *rest = CalamineWorkbook.from_filelike(made(session, Format.XLSX)).get_sheet_by_index(0).to_python()
        assert len(rest) == 7
        assert (first[2], first[6]) == (date(2026, 9, 5), datetime(2026, 9, 5, 6))  # noqa: DTZ001 - as a spreadsheet holds it
        assert isinstance(first[4], float)

    def test_parquet_holds_exact_decimals_and_moments_with_their_zone(self, session: Session, people: list[Customer]) -> None:
        rows = pq.read_table(made(session, Format.PARQUET)).to_pylist()
        assert len(rows) == 8
        assert isinstance(rows[0]["left"], Decimal)
        assert (rows[0]["date"], rows[0]["late"], rows[0]["state"]) == (date(2026, 9, 5), True, "sent")
        assert rows[0]["issued"] == datetime(2026, 9, 5, 4, tzinfo=UTC)

    def test_no_cell_is_a_formula(self, session: Session) -> None:
        customer = make_customer(session, given_name="=cmd|' /C calc'!A0", family_name="+1", search_name="cmd")
        session.add(
            Interaction(
                customer_id=customer.id,
                channel=InteractionChannel.PHONE,
                reason="@SUM(A1)",
                at=customer.created_at,
                agent="-2",
                ended_at=customer.created_at,
            )
        )
        session.flush()
        query = Query("contacts", columns=("customer", "reason", "by"))
        _head, row = csv.reader(io.StringIO(made(session, Format.CSV, query).read().decode("utf-8-sig")), delimiter=";")
        assert [cell[0] for cell in row] == ["'"] * 3
        _titles, values = CalamineWorkbook.from_filelike(made(session, Format.XLSX, query)).get_sheet_by_index(0).to_python()
        assert [str(cell)[0] for cell in values] == ["'"] * 3

    def test_is_written_down_with_its_filter_and_its_rows(self, session: Session, people: list[Customer]) -> None:
        list_export.note(session, ADMIN, query=QUERY, file_format=Format.CSV, rows=8)
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "list:export")).one()
        assert entry.after is not None
        assert (entry.actor, entry.after["rows"], entry.after["where"]) == ("admin", 8, "and(kind.in.(normal))")

    def test_needs_a_right_of_its_own(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            list_export.export(session, AGENT, query=QUERY, file_format=Format.CSV, language="fr", file=io.BytesIO())

    def test_has_an_end(self, session: Session, people: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "MOST_COUNTED", 10)
        monkeypatch.setattr(list_export, "MOST", 20)
        with pytest.raises(TooMany):
            made(session, Format.CSV, Query("customers"))

    def test_holds_as_many_as_it_may_and_says_before_whether_it_can(
        self, session: Session, people: list[Customer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        many = lists.count(session, ADMIN, query=Query("customers"))
        monkeypatch.setattr(lists, "MOST_COUNTED", 10)
        monkeypatch.setattr(list_export, "MOST", many)
        list_export.check(session, ADMIN, query=Query("customers"))
        assert made(session, Format.CSV, Query("customers")).read().count(b"\r\n") == many + 1
        monkeypatch.setattr(list_export, "MOST", many - 1)
        with pytest.raises(TooMany):
            list_export.check(session, ADMIN, query=Query("customers"))
        with pytest.raises(NotPermitted):
            list_export.check(session, AGENT, query=Query("customers"))

    def test_what_is_masked_on_the_screen_is_masked_in_the_file(self, session: Session, people: list[Customer]) -> None:
        assert b"sophie@example.be" not in made(session, Format.CSV, Query("customers", columns=("customer_no", "email"))).read()

    def test_an_empty_list_is_a_file_with_its_heading(self, session: Session) -> None:
        for kind in Format:
            assert made(session, kind).read()
