"""`python -m core.ingest FILE`: every line is accepted, known or rejected, and the same file twice changes nothing."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlmodel import Session, col, select

from core import db, ingest
from core.db import Base
from core.models.usage import Tariff, UsageDay, UsageEvent
from core.services import demo
from tests.builders import make_customer, make_product
from tests.conftest import address
from tests.scenarios.filling import ROOT, installed

HEADING = "line,at,id,kind,quantity,zone,country,other_party"
GOOD = [
    "+32470000012,2026-11-10T12:00:00+01:00,1,data,2000000,,,",
    "0470 00 00 12,2026-11-11T12:00:00+01:00,2,data,1240000,eu,FR,",
    '"+32470000012",2026-11-12T11:00:00Z,3,sms,1,,,"6040"',
]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An installation with one line, at the first moment of the demo."""
    found = address(request.param, tmp_path)
    with installed(found, tmp_path) as engine:
        Base.metadata.create_all(engine)
        with db.transaction() as session:
            demo.start_clock(session)
            make_product(session, make_customer(session), "RED", line="+32470000012")
        yield found


def write(path: Path, *lines: str | bytes, heading: str = HEADING) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in (heading, *lines)) + b"\n")
    return path


def kept() -> tuple[list[Any], list[Any]]:
    with Session(db.engine()) as session:
        events = session.exec(select(UsageEvent).order_by(col(UsageEvent.at), col(UsageEvent.id))).all()
        days = session.exec(select(UsageDay).order_by(col(UsageDay.day), col(UsageDay.kind), col(UsageDay.tariff))).all()
        return [one.model_dump() for one in events], [one.model_dump() for one in days]


def rejected(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


class TestMain:
    def test_rates_what_it_reads_and_changes_nothing_the_second_time(
        self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = write(tmp_path / "use.csv", *GOOD)
        assert ingest.main([str(file)]) == 0
        before = kept()
        assert [(one["tariff"], one["charged_cents"]) for one in before[0]] == [
            (Tariff.INCLUDED, 0), (Tariff.OVER, 6200), (Tariff.THIRD_PARTY, 200),
        ]  # fmt: skip
        assert ingest.main([str(file)]) == 0
        assert kept() == before
        told = capsys.readouterr().out.splitlines()
        assert told[0].startswith("3 read = 3 accepted + 0 known already + 0 rejected")
        assert told[1].startswith("3 read = 0 accepted + 3 known already + 0 rejected")
        assert not (tmp_path / "use.csv.rejects.csv").exists()

    def test_a_bad_line_costs_that_line_only(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        bad: list[str | bytes] = [
            '"+32470000012,2026-11-10T12:00:00+01:00,9,data,1,,,',
            "+32470000012,2026-11-10T12:00:00+01:00,9,data",
            b"+32470000012,2026-11-10T12:00:00+01:00,9,sms,1,,,\xff",
            b"x" * 3_000_000,
            "+32470000012,2026-11-10T12:00:00+01:00,9,sms,1,,,\x00",
            "+32470000012,2026-11-10 12:00:00,9,data,1,,,",
            "+32470000012,2026-11-10T12:00:00+01:00,9.5,data,1,,,",
            "+32470000012,2026-11-10T12:00:00+01:00,9,fax,1,,,",
            "+32470000099,2026-11-10T12:00:00+01:00,9,data,1,,,",
            "+32470000012,2036-11-10T12:00:00+01:00,9,data,1,,,",
        ]
        file = write(tmp_path / "use.csv", GOOD[0], *bad, "", *GOOD[1:])
        assert ingest.main([str(file), "--rejects", str(tmp_path / "bad.csv")]) == 1
        assert capsys.readouterr().out.startswith("13 read = 3 accepted + 0 known already + 10 rejected")
        found = rejected(tmp_path / "bad.csv")
        assert found[0] == ["reject_line", "reject_reason", *HEADING.split(",")]
        assert [row[0] for row in found[1:]] == [str(number) for number in range(3, 13)]
        assert "quote" not in found[1][1]
        assert found[8][1:] == ["kind is none of data, mms, premium, sms, tv, voice", *str(bad[7]).split(",")]

    def test_rejects_can_be_read_again_once_they_are_put_right(self, url: str, tmp_path: Path) -> None:
        file = write(tmp_path / "use.csv", GOOD[0], GOOD[1].replace("data", "date"), GOOD[2])
        assert ingest.main([str(file)]) == 1
        rejects = tmp_path / "use.csv.rejects.csv"
        again = tmp_path / "again.csv"
        again.write_text(rejects.read_text("utf-8").replace(",date,", ",data,"), "utf-8")
        assert ingest.main([str(again)]) == 0
        assert [one["charged_cents"] for one in kept()[0]] == [0, 6200, 200]

    @pytest.mark.parametrize("heading", ["line,at,id,kind", "at,id,kind,quantity", f"{HEADING},colour", f"{HEADING},line", ""])
    def test_a_wrong_heading_stops_it_with_a_sentence(
        self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], heading: str
    ) -> None:
        assert ingest.main([str(write(tmp_path / "use.csv", *GOOD, heading=heading))]) == 2
        assert "The heading is not the one of usage events" in capsys.readouterr().err
        assert kept() == ([], [])

    def test_a_file_that_is_not_there_is_told(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert ingest.main([str(tmp_path / "none.csv")]) == 2
        assert "can't be read" in capsys.readouterr().err

    def test_reads_semicolons_and_windows_lines(self, url: str, tmp_path: Path) -> None:
        file = tmp_path / "use.csv"
        file.write_bytes(("\ufeff" + "\r\n".join([HEADING, *GOOD]).replace(",", ";")).encode())
        assert ingest.main([str(file)]) == 0
        assert len(kept()[0]) == 3

    def test_parquet_and_csv_of_the_same_events_are_the_same(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        ingest.main([str(write(tmp_path / "use.csv", *GOOD))])
        before = kept()
        moments = pa.array(["2026-11-10T11:00:00Z", "2026-11-11T11:00:00Z", "2026-11-12T11:00:00Z"]).cast(pa.timestamp("ns", "UTC"))
        table = pa.table(
            {
                "line": ["+32470000012"] * 3, "at": moments, "id": [1, 2, 3], "kind": ["data", "data", "sms"],
                "quantity": [2_000_000, 1_240_000, 1], "zone": [None, "eu", None], "country": [None, "FR", None],
                "other_party": [None, None, "6040"],
            }
        )  # fmt: skip
        pq.write_table(table, tmp_path / "use.parquet")
        assert ingest.main([str(tmp_path / "use.parquet")]) == 0
        assert capsys.readouterr().out.splitlines()[1].startswith("3 read = 0 accepted + 3 known already")
        assert kept() == before
        other = table.set_column(2, "id", pa.array([4, 5, None]))
        pq.write_table(other, tmp_path / "other.parquet")
        assert ingest.main([str(tmp_path / "other.parquet")]) == 1
        assert rejected(tmp_path / "other.parquet.rejects.csv")[1][:2] == ["3", "id is no whole number"]
        assert kept()[0][-1]["charged_cents"] == 200

    def test_a_broken_parquet_file_is_told(self, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "use.parquet").write_bytes(b"PAR1 and nothing more")
        assert ingest.main([str(tmp_path / "use.parquet")]) == 2
        assert "can't be read" in capsys.readouterr().err

    def test_two_processes_with_one_file_record_each_event_once(self, url: str, tmp_path: Path) -> None:
        days = [
            f"2026-11-{day:02d}T{hour:02d}:{minute:02d}:00Z" for day in range(1, 18) for hour in range(24) for minute in range(0, 60, 5)
        ]
        lines = [f"+32470000012,{at},1,data,1000,,," for at in days]
        file = write(tmp_path / "use.csv", *lines)
        script = "import sys; from core import ingest; ingest._BATCH = 100; sys.exit(ingest.main(sys.argv[1:]))"
        command = [sys.executable, "-c", script, str(file), "--database-url", url]
        running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        told = [one.communicate(timeout=120) for one in running]
        assert [one.returncode for one in running] == [0, 0], told
        accepted = [int(out.split(" = ")[1].split(" ")[0].replace(",", "")) for out, _err in told]
        assert sum(accepted) == len(lines)
        events, sums = kept()
        assert len(events) == len(lines)
        assert sum(one["events"] for one in sums) == len(lines)
        over = max(0, len(lines) - 2000)
        assert sum(one["charged_cents"] for one in sums) == 5 * over == sum(one["charged_cents"] for one in events)
        assert min(one["day"] for one in sums) == date(2026, 11, 1)
