"""A database that was brought up step by step is the one that the tables tell, down to each check and index; what was in it stays."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session

from core.actor import SYSTEM
from core.db import Base, make_engine
from core.db.upgrade import config, upgrade
from core.services import audit_trail, tasks, timeline
from tests.conftest import address

FIRST = "2026_11_22_first_tables"


def told(engine: Engine) -> dict[str, Any]:
    """Return what each table holds: its columns, checks, keys and indexes."""
    found, names = inspect(engine), {}
    for table in sorted(found.get_table_names()):
        if table == "alembic_version":
            continue
        names[table] = {
            "columns": sorted((one["name"], _plain(str(one["type"])), one["nullable"]) for one in found.get_columns(table)),
            "checks": sorted((one["name"], _plain(one["sqltext"])) for one in found.get_check_constraints(table)),
            "unique": sorted(tuple(one["column_names"]) for one in found.get_unique_constraints(table)),
            "keys": sorted((tuple(one["constrained_columns"]), one["referred_table"]) for one in found.get_foreign_keys(table)),
            "primary": found.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(
                (str(one["name"]), tuple(map(str, one["column_names"])), bool(one["unique"])) for one in found.get_indexes(table)
            ),
            "where": sorted(_plain(one) for one in _where(engine, table)),
        }
    return names


def _where(engine: Engine, table: str) -> list[str]:
    """Return the conditions of partial indexes, the triggers, and how SQLite lays out a table."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            rows = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = :t"), {"t": table}).scalars()
            triggers = text("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = CAST(:t AS regclass) AND NOT tgisinternal")
            return [*(row.partition(" WHERE ")[2] for row in rows), *connection.execute(triggers, {"t": table}).scalars()]
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE tbl_name = :t AND sql IS NOT NULL"), {"t": table}).scalars()
        return [
            row
            if row.startswith("CREATE TRIGGER")
            else "WITHOUT ROWID" * row.endswith("WITHOUT ROWID")
            if row.startswith("CREATE TABLE")
            else row.partition(" WHERE ")[2]
            for row in rows
        ]


def _plain(rule: str) -> str:
    return re.sub(r"[\s()\"]", "", rule)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address(request.param, tmp_path)


def test_migrations_and_tables_tell_the_same(url: str, tmp_path: Path) -> None:
    engine = make_engine(url)
    upgrade(engine)
    stepped = told(engine)
    engine.dispose()
    (tmp_path / "fresh").mkdir()
    fresh = make_engine(address(engine.dialect.name, tmp_path / "fresh"))
    Base.metadata.create_all(fresh)
    assert stepped == told(fresh)
    fresh.dispose()


OLD = (
    (
        "INSERT INTO customer (id, version, customer_no, kind, family_name, given_name, language, status, status_since, vip, colleague, vulnerable, search_name, created_at) "
        "VALUES (1, 1, '10000055', 'individual', 'Dubois', 'Kevin', 'fr', 'active', '2024-01-01', false, false, false, 'kevin dubois', '2024-01-01 00:00:00')"
    ),
    (
        "INSERT INTO billing_account (id, version, customer_id, bill_model, cycle_day, media, payment_method, payment_due_days, easy_switch_id, dunning_state, "
        "dunning_hold_until, dunning_hold_reason) VALUES (1, 1, 1, 'current', 1, 'pdf', 'transfer', 15, 'ES1', 'none', '2027-02-15', 'ombudsman')"
    ),
    (
        "INSERT INTO bill (id, version, customer_id, bill_no, category, bill_date, due_date, period_since, period_until, state, excl_cents, vat_cents, incl_cents, "
        "third_party_cents, credited_cents, remaining_cents, ogm, document_token, printed, issued_at) VALUES "
        "(1, 1, 1, '2611000055', 'normal', '2026-11-05', '2026-11-20', '2026-11-01', '2026-12-01', 'sent', 3471, 729, 4200, 0, 0, 4200, 'x', 't', '{}', '2026-11-05 05:00:00'), "
        "(2, 1, 1, '2611900001', 'creditNote', '2026-11-06', '2026-11-06', '2026-11-06', '2026-11-07', 'sent', 826, 174, 1000, 0, 0, 1000, NULL, 'u', '{}', '2026-11-06 05:00:00')"
    ),
    (
        "INSERT INTO bill_line (customer_id, bill_id, ordinal, kind, code, quantity, unit, unit_price_cents, amount_cents) VALUES "
        "(1, 1, 1, 'subscription', 'TRIO', 1, 'month', 4200, 4200), (1, 2, 1, 'adjustment', 'goodwill', 1, 'piece', 1000, 1000)"
    ),
    "INSERT INTO payment_plan (id, version, customer_id, state, proposed_on, total_cents) VALUES (1, 1, 1, 'proposed', '2026-11-16', 4200)",
    "INSERT INTO instalment (id, customer_id, plan_id, ordinal, due_date, amount_cents) VALUES (1, 1, 1, 1, '2026-12-01', 4200)",
    (
        "INSERT INTO audit_entry (id, at, business_at, actor, action, object_type, object_id, before, after) VALUES "
        "(4, '2026-11-05 05:00:00.5', '2026-11-05 05:00:00', 'agent', 'a:b', 'c', '1', 'null', '{\"b\": 1, \"a\": \"é\"}'), "
        "(7, '2026-11-06 05:00:00', '2026-11-06 05:00:00', 'agent', 'a:b', 'c', '2', 'null', 'null')"
    ),
    (
        "INSERT INTO interaction (id, customer_id, channel, reason, at, agent, note) VALUES "
        "(1, 1, 'phone', 'bill', '2026-11-06 09:00:00', 'agent', 'was told'), (2, 1, 'shop', '', '2026-11-07 09:00:00', 'agent', '')"
    ),
    (
        "INSERT INTO task (id, version, customer_id, code, due, created_at, done_at) VALUES "
        "(1, 3, 1, 'call_back', '2026-11-20', '2026-11-06 09:00:00', NULL), (2, 1, 1, 'check_file', NULL, '2026-11-06 09:00:00', '2026-11-07 09:00:00')"
    ),
    "INSERT INTO refund (id, customer_id, amount_cents, iban, state, requested_on, credit_note_id) VALUES (1, 1, 500, 'BE66539000001343', 'requested', '2026-11-07', 2)",
)


def test_what_was_there_before_is_carried_over(url: str) -> None:
    engine = make_engine(url)
    command.upgrade(config(engine), FIRST)
    with engine.begin() as connection:
        for statement in OLD:
            connection.execute(text(statement))
    upgrade(engine)
    with engine.connect() as connection:

        def ask(query: str) -> list[Any]:
            return [tuple(row) for row in connection.execute(text(query))]

        assert ask("SELECT bill_no, reason FROM bill ORDER BY id") == [("2611000055", None), ("2611900001", "goodwill")]
        ((since, until, reason),) = ask("SELECT dunning_hold_since, dunning_hold_until, dunning_hold_reason FROM billing_account")
        assert (str(since), str(until), reason) == (str(date(2026, 10, 18)), "2027-02-15", "ombudsman")
        assert ask("SELECT plan_id, bill_id, amount_cents FROM plan_bill") == [(1, 1, 4200)]
        assert ask("SELECT version, credit_note_id, payment_id FROM refund") == [(1, 2, None)]
        assert ask("SELECT count(*) FROM instalment") == [(1,)]
        told = ask("SELECT id, reason, note, agent, version, ended_at = at, opened_at, seconds, handed_to FROM interaction ORDER BY id")
        assert told == [(1, "bill", "was told", "agent", 1, True, None, None, None), (2, "other", "", "agent", 1, True, None, None, None)]
        left = ask(
            "SELECT id, version, code, CAST(due AS TEXT), done_at IS NULL, words, owner, team, created_by, done_by FROM task ORDER BY id"
        )
        assert left == [
            (1, 3, "call_back", "2026-11-20", True, None, None, None, "system", None),
            (2, 1, "check_file", None, False, None, None, None, "system", None),
        ]
    with Session(engine) as session:
        assert [row.code for row in tasks.of_customer(session, SYSTEM, customer_id=1)] == ["call_back"]
        assert {row.source for row in timeline.of_customer(session, SYSTEM, customer_id=1).entries} >= {"call", "task", "task_done"}
        found = audit_trail.verify(session, SYSTEM)
    assert (found.entries, found.wrong) == (2, None)
    engine.dispose()
