"""What we write to a customer, in his language: messages are kept as they were sent (W11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml
from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from core import clock, i18n
from core.actor import Actor, Permission
from core.errors import NotFound
from core.models.communication import Communication, MessageChannel, MessageState
from core.models.customer import ContactKind, ContactMedium, Customer, Language
from core.services import audit
from core.settings import ROOT, settings
from core.text_rules import address_line

FILE = ROOT / "seed" / "messages.yaml"
QUIET_UNTIL_HOUR = 7
HIDDEN = "••••••"
LINK = "link"

Texts = dict[str, str]
Params = Mapping[str, object]
Key = tuple[datetime, int]


@dataclass(frozen=True)
class Template:
    """One message of seed/messages.yaml: its texts per language, and what they need; `by_hand` where a colleague chooses to send it."""

    channel: MessageChannel
    subject: Texts
    body: Texts
    added: dict[str, Texts]
    needs: frozenset[str]
    secret: str | None
    quiet: bool
    by_hand: bool = False


@dataclass(frozen=True)
class Draft:
    """A message before it is sent."""

    channel: MessageChannel
    language: Language
    receiver: str
    subject: str
    body: str


@dataclass(frozen=True)
class MessageRow:
    """A message in a list."""

    id: int
    template: str
    channel: MessageChannel
    receiver: str
    subject: str
    sent_at: datetime
    read_at: datetime | None

    @property
    def key(self) -> Key:
        """Where the next page begins: hand it to `of_customer(before=...)`."""
        return self.sent_at, self.id


@dataclass(frozen=True)
class Message(MessageRow):
    """A message with its text."""

    body: str


def send(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    template: str,
    params: Params,
    channel: MessageChannel | None = None,
    to: str | None = None,
) -> int:
    """Write a message to a customer and return its id; called by the service whose change it tells about, which checked the right.

    The receiver is the customer's e-mail, or his address for a letter when he has none; an SMS goes to his phone. `to` names
    another e-mail address or phone. A param of a template that may be missing counts as missing when it is None.
    Raises NotFound without such a customer, ValueError on params the template does not have.
    """
    actor.require(Permission.MESSAGE_READ, customer_id)
    found = templates()[template]
    draft = _draft(session, customer_id, found, params, channel=channel, to=to)
    row = Communication(
        customer_id=customer_id,
        template=template,
        channel=draft.channel,
        language=draft.language,
        receiver=draft.receiver,
        subject=draft.subject,
        body=draft.body,
        secret=str(params[found.secret]) if found.secret else None,
        state=MessageState.INITIAL if draft.channel is MessageChannel.EMAIL and settings().smtp_url else MessageState.COMPLETED,
        sent_at=_awake(clock.now()) if found.quiet else clock.now(),
    )
    session.add(row)
    session.flush()
    return row.id


def preview(session: Session, actor: Actor, *, customer_id: int, template: str, params: Params) -> Draft:
    """Return a message as it would be sent, and send nothing."""
    actor.require(Permission.MESSAGE_READ, customer_id)
    return _draft(session, customer_id, templates()[template], params)


def of_customer(
    session: Session, actor: Actor, *, customer_id: int, before: Key | None = None, limit: int = 20, unread_only: bool = False
) -> list[MessageRow]:
    """Return a customer's messages, the newest first; `before` is the key of the last row of the page above."""
    actor.require(Permission.MESSAGE_READ, customer_id)
    query = (
        select(
            Communication.id,
            Communication.template,
            Communication.channel,
            Communication.receiver,
            Communication.subject,
            Communication.sent_at,
            Communication.read_at,
        )  # type: ignore[call-overload]
        .where(Communication.customer_id == customer_id, Communication.sent_at <= clock.now())
        .order_by(col(Communication.sent_at).desc(), col(Communication.id).desc())
        .limit(limit)
    )
    if before:
        query = query.where(tuple_(col(Communication.sent_at), col(Communication.id)) < tuple_(*before))
    if unread_only:
        query = query.where(col(Communication.read_at).is_(None))
    return [MessageRow(*row) for row in session.exec(query)]


def unread_count(session: Session, actor: Actor, *, customer_id: int) -> int:
    """Count the messages that the customer has not opened."""
    actor.require(Permission.MESSAGE_READ, customer_id)
    query = select(func.count()).where(
        Communication.customer_id == customer_id, col(Communication.read_at).is_(None), Communication.sent_at <= clock.now()
    )
    return session.exec(query).one()


def open_message(session: Session, actor: Actor, *, customer_id: int, message_id: int) -> Message:
    """Return a message with its text. Opened by the customer himself it counts as read; an agent's look leaves it unread.

    Staff never see a link that lets somebody in (S26), and a code only in a demo. Raises NotFound for another's message.
    """
    actor.require(Permission.MESSAGE_READ, customer_id)
    row = session.exec(select(Communication).where(Communication.customer_id == customer_id, Communication.id == message_id)).first()
    if row is None or row.sent_at > clock.now():
        raise NotFound
    if actor.house:
        audit.record(session, actor, action="message:open", object_type="communication", object_id=row.id, customer_id=customer_id)
    elif row.read_at is None:
        row.read_at = clock.now()
        session.add(row)
        audit.record(session, actor, action="message:read", object_type="communication", object_id=row.id, customer_id=customer_id)
    body = row.body.replace(row.secret, HIDDEN) if row.secret and actor.house and _hidden(row.template) else row.body
    return Message(row.id, row.template, row.channel, row.receiver, row.subject, row.sent_at, row.read_at, body)


def templates() -> dict[str, Template]:
    """Return the templates by key; a changed file is read again at the next call. Raises ValueError when the file is wrong."""
    return _read(FILE, FILE.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> dict[str, Template]:
    told = yaml.safe_load(path.read_text("utf-8"))
    frame = told.pop("frame")
    return {key: _template(key, facts, frame) for key, facts in told.items()}


def _template(key: str, facts: dict[str, Any], frame: Texts) -> Template:
    added = facts.get("when_given", {})
    channel = MessageChannel(facts["channel"])
    needs = _placeholders(key, facts["body"]) | _placeholders(key, facts["subject"])
    for param, texts in added.items():
        if _placeholders(key, texts) - needs != {param}:
            msg = f"messages.yaml: {key}: the sentence of {param} must hold {{{param}}}"
            raise ValueError(msg)
    if (secret := facts.get("secret")) and secret not in needs:
        msg = f"messages.yaml: {key}: the secret {secret} is not in the text"
        raise ValueError(msg)
    outer = dict.fromkeys(frame, "{text}{added}") if channel is MessageChannel.SMS else frame
    body = {language: text.replace("{text}", facts["body"][language]) for language, text in outer.items()}
    return Template(channel, facts["subject"], body, added, needs, secret, facts.get("quiet", False), facts.get("by_hand", False))


def _placeholders(key: str, texts: Texts) -> frozenset[str]:
    """Return the names that a text needs; refuse texts that differ by language, or miss one."""
    if set(texts) != set(i18n.LANGUAGES):
        msg = f"messages.yaml: {key}: the languages are {sorted(texts)}"
        raise ValueError(msg)
    found = {frozenset(name for _, name, _, _ in Formatter().parse(text) if name) for text in texts.values()}
    if len(found) > 1:
        msg = f"messages.yaml: {key}: the placeholders differ by language: {found}"
        raise ValueError(msg)
    return found.pop()


def _draft(
    session: Session, customer_id: int, template: Template, params: Params, *, channel: MessageChannel | None = None, to: str | None = None
) -> Draft:
    customer = session.exec(select(Customer).where(Customer.id == customer_id)).first()
    if customer is None:
        raise NotFound
    given = {name: value for name, value in params.items() if value is not None}
    if template.needs - set(given) or set(params) - template.needs - set(template.added):
        msg = f"needs {sorted(template.needs)}, may have {sorted(template.added)}, got {sorted(given)}"
        raise ValueError(msg)
    language = customer.language.value
    shown = {name: i18n.show(language, name, value) for name, value in given.items()}
    sentences = [texts[language] for param, texts in template.added.items() if param in given]
    ways = _media(session, customer_id, language)
    used, receiver = (channel or template.channel, to) if to else _way(channel or template.channel, ways, customer)
    body = template.body[language].replace("{added}", "".join(f"\n{sentence}" for sentence in sentences))
    return Draft(used, customer.language, receiver, template.subject[language].format(**shown), body.format(**shown, name=customer.name))


def _way(channel: MessageChannel, ways: dict[ContactKind, str], customer: Customer) -> tuple[MessageChannel, str]:
    """Return how a message travels, and to where: the wished way if the customer has it, else e-mail, letter, or his space alone."""
    kinds = {
        MessageChannel.SMS: ContactKind.PHONE,
        MessageChannel.EMAIL: ContactKind.EMAIL,
        MessageChannel.LETTER: ContactKind.ADDRESS,
    }
    wished = [channel, MessageChannel.EMAIL, MessageChannel.LETTER] if channel in kinds else []
    for way in wished:
        if kinds[way] in ways:
            return way, ways[kinds[way]]
    return MessageChannel.PORTAL, customer.customer_no


def _media(session: Session, customer_id: int, language: str) -> dict[ContactKind, str]:
    query = select(ContactMedium).where(ContactMedium.customer_id == customer_id, col(ContactMedium.until_at).is_(None))
    return {
        row.kind: row.value or address_line(row.street, row.number, row.box, row.postcode, row.town, language)
        for row in session.exec(query)
    }


def _awake(moment: datetime) -> datetime:
    """Return the moment itself, or 07:00 of that day in Brussels when it lies in the night (W4)."""
    local = clock.local(moment)
    return clock.at(local.date(), QUIET_UNTIL_HOUR) if local.hour < QUIET_UNTIL_HOUR else moment


def _hidden(template: str) -> bool:
    """Whether staff may not see what is secret in a message: always a link, a code outside a demo."""
    found = templates().get(template)
    return found is None or found.secret == LINK or not settings().demo
