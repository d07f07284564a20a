"""E-mails leave once, are tried again, and are given up in the end: against a mail server that really listens."""

import socket
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import Engine
from sqlmodel import Session, select

from core import clock, db, jobs
from core.actor import SYSTEM
from core.db import Base
from core.mail import post
from core.models.communication import Communication, MessageChannel, MessageState
from core.services import communications, outbox
from core.settings import settings
from tests.builders import make_customer
from tests.conftest import address
from tests.scenarios.filling import installed


class Box(Message):
    """Keeps what it is handed; refuses the first `refused` of them."""

    def __init__(self, refused: int = 0) -> None:
        super().__init__(EmailMessage)
        self.refused = refused
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        if self.refused:
            self.refused -= 1
            return "451 come back later"
        return str(await super().handle_DATA(server, session, envelope))

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Engine]:
    with installed(address("sqlite", tmp_path), tmp_path) as engine:
        Base.metadata.create_all(engine)
        yield engine


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    found = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(found, hostname="127.0.0.1", port=port)
    server.start()
    monkeypatch.setattr(settings(), "smtp_url", f"smtp://127.0.0.1:{port}")
    yield found
    server.stop()


def write(session: Session, template: str = "welcome", **given: Any) -> None:
    customer = make_customer(session)
    params = {"customer_no": customer.customer_no}
    communications.send(session, SYSTEM, customer_id=customer.id, template=template, params=params, **given)


def only(house: Engine) -> Communication:
    with Session(house) as session:
        return session.exec(select(Communication)).one()


def _read(header: str) -> str:
    return str(make_header(decode_header(header)))


def test_without_a_mail_server_a_message_is_there_to_be_read_and_nothing_waits(house: Engine) -> None:
    with db.transaction() as session:
        write(session)
        assert outbox.take(session, SYSTEM) is None
    assert only(house).state is MessageState.COMPLETED


def test_an_email_leaves_once_in_the_customers_language_from_us(house: Engine, box: Box) -> None:
    with db.transaction() as session:
        write(session)
    assert only(house).state is MessageState.INITIAL
    jobs.run(SYSTEM)
    assert jobs.run(SYSTEM).mails == 0
    assert only(house).state is MessageState.COMPLETED
    (mail,) = box.mails
    assert (mail["To"], _read(mail["Subject"])) == ("sophie@example.be", "Bienvenue chez Guichet Télécom")
    assert "Guichet Télécom" in _read(mail["From"])
    assert "Votre numéro de client est" in mail.get_payload(decode=True).decode()


def test_a_letter_does_not_wait_for_the_mail_server(house: Engine, box: Box) -> None:
    with db.transaction() as session:
        write(session, channel=MessageChannel.LETTER)
    assert only(house).state is MessageState.COMPLETED
    assert box.mails == []


def test_what_the_server_refuses_is_tried_again_later_under_the_same_reference(
    house: Engine, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.refused = 1
    with db.transaction() as session:
        write(session)
    assert jobs.run(SYSTEM).mails_failed == 1
    found = only(house)
    assert (found.state, found.tries) == (MessageState.INITIAL, 1)
    assert "451" in str(found.problem)
    assert jobs.run(SYSTEM).mails == 0  # Not yet.
    with db.transaction() as session:
        session.get_one(Communication, found.id).next_try_at = clock.real_now()
    assert jobs.run(SYSTEM).mails == 1
    assert (only(house).state, only(house).problem) == (MessageState.COMPLETED, None)


def test_it_is_given_up_after_six_tries(house: Engine, box: Box) -> None:
    box.refused = 99
    with db.transaction() as session:
        write(session)
    for _try in range(outbox.TRIES):
        jobs.run(SYSTEM)
        with db.transaction() as session:
            session.exec(select(Communication)).one().next_try_at = clock.real_now()
    assert (only(house).state, only(house).tries) == (MessageState.FAILED, 6)
    assert jobs.run(SYSTEM).mails_failed == 0


def test_what_was_taken_by_somebody_who_died_is_taken_again_after_its_time(house: Engine, box: Box) -> None:
    with db.transaction() as session:
        write(session)
        taken = outbox.take(session, SYSTEM)
    with db.transaction() as session:
        assert outbox.take(session, SYSTEM) is None
        session.exec(select(Communication)).one().next_try_at = clock.real_now()
    with db.transaction() as session:
        assert outbox.take(session, SYSTEM) == taken


@pytest.mark.parametrize("url", ["ftp://mail.example.be", "smtp://", "mail.example.be"])
def test_a_wrong_address_of_the_server_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="GUICHET_SMTP_URL"):
        post(url, sender="a@example.be", name="A", to="b@example.be", subject="x", body="y", reference="1.1")


def test_a_line_end_in_a_subject_adds_no_header(box: Box) -> None:
    post(
        str(settings().smtp_url),
        sender="a@example.be",
        name="A",
        to="b@example.be",
        subject="x\r\nBcc: c@example.be",
        body="y",
        reference="1.1",
    )
    assert box.mails[0]["Bcc"] is None
