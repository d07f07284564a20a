"""How to reach a customer: address, phone, e-mail and language. A medium is closed and followed by another, never overwritten (W10)."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session, col, select

from core import clock, i18n, postcodes
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.billing_account import BillingAccount, BillMedia
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus, EmailVerification, Language
from core.services import audit, communications, throttle
from core.text_rules import address_line, needed, normalise

CODE_LIVES = timedelta(minutes=15)
CODE_TRIES = 5
CODE_DIGITS = 6
_EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_LOCAL_LENGTH, _EMAIL_LENGTH = 64, 254
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,30}")
_NOBODY_ANSWERS = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE, PhoneNumberType.UAN}
_WORDS = {"address": N_("address"), "phone": N_("phone"), "email": N_("e-mail"), "language": N_("language")}


class ContractEnded(DomainError):
    """The customer left: his data stay as they were."""

    message = N_("This contract ended on {ended}: the contact data can only be read. They change with a new contract.")


class NotAPhone(DomainError):
    """No such number exists, or nobody can be reached on it."""

    field = "phone"
    message = N_("Nobody can be reached on this number. Write it as 0470 00 00 01, or +33 6 12 34 56 78 for another country.")


class NotAnEmail(DomainError):
    """This can't be an e-mail address."""

    field = "email"
    message = N_("This is not an e-mail address. Write it as name@example.be.")


class EmailInUse(DomainError):
    """Bills go to the e-mail, so it can't be left out."""

    field = "email"
    message = N_("The bills go to this e-mail. Choose paper bills before you remove it.")


class NoCode(DomainError):
    """There is no code that could be confirmed: none was sent, it is too old, or it was mistyped too often."""

    field = "code"
    message = N_("This code is no longer valid. Save the e-mail again to receive a new one.")


class WrongCode(DomainError):
    """The code is another one."""

    field = "code"
    message = N_("This is not the code. Tries left: {left}.")


@dataclass(frozen=True)
class ContactData:
    """How to reach a customer. `phone` is E.164; `pending_email` waits for its code."""

    version: int
    language: Language
    read_only: bool
    email: str | None
    email_verified_at: datetime | None
    pending_email: str | None
    phone: str | None
    street: str
    number: str
    box: str
    postcode: str
    town: str
    address: str


@dataclass(frozen=True)
class Changed:
    """What a change did: the words of what changed, and the e-mail that now waits for its code."""

    what: tuple[str, ...]
    code_sent_to: str | None = None


def read(session: Session, actor: Actor, *, customer_id: int) -> ContactData:
    """Return how to reach a customer. Raises NotFound."""
    actor.require(Permission.ACCOUNT_READ, customer_id)
    row = session.exec(select(Customer.version, Customer.language, Customer.status).where(Customer.id == customer_id)).first()
    if row is None:
        raise NotFound
    version, language, status = row
    media = _current(session, customer_id)
    address, email, phone = (media.get(kind) for kind in (ContactKind.ADDRESS, ContactKind.EMAIL, ContactKind.PHONE))
    pending = session.exec(
        select(EmailVerification.email).where(
            EmailVerification.customer_id == customer_id,
            EmailVerification.expires_at > clock.real_now(),
            EmailVerification.failures < CODE_TRIES,
        )
    ).first()
    parts = _parts(address)
    return ContactData(
        version=version,
        language=Language(language),
        read_only=status is CustomerStatus.CLOSED,
        email=email.value if email else None,
        email_verified_at=email.verified_at if email else None,
        pending_email=pending,
        phone=phone.value if phone else None,
        **parts,
        address=address_line(**parts, language=language) if address else "",
    )


def change(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    shown_version: int,
    email: str,
    phone: str,
    street: str,
    number: str,
    box: str,
    postcode: str,
    town: str,
    language: Language,
    town_kept: bool = False,
) -> Changed:
    """Change whatever differs from what is stored; the file's version grows, and the customer is told.

    A new e-mail counts once its code comes back (`confirm_email`); an empty one removes the e-mail of a customer whose bills
    come on paper. `town_kept` lets a postcode pass with a town that is known elsewhere. Raises ContractEnded, NotAPhone,
    NotAnEmail, EmailInUse, ChangedMeanwhile, TooManyTries and what text_rules and postcodes raise, with the field to correct.
    """
    actor.require(Permission.ACCOUNT_WRITE, customer_id)
    customer = _open_for_change(session, customer_id)
    audit.check_version(session, customer, shown_version, "customer", customer_id)
    now = _current(session, customer_id)
    email_now, new_email = _value(now.get(ContactKind.EMAIL)), _email(email)
    wanted = {
        ContactKind.ADDRESS: _address(customer_id, street, number, box, postcode, town, kept=town_kept),
        ContactKind.PHONE: _new(customer_id, ContactKind.PHONE, value=_e164(phone)),
        ContactKind.EMAIL: now.get(ContactKind.EMAIL) if new_email else None,
    }
    if email_now and not new_email:
        _require_paper_bills(session, customer_id)
    changed = {kind: medium for kind, medium in wanted.items() if _facts(medium) != _facts(now.get(kind))}
    before: audit.Facts = {kind.value: _written(now.get(kind), customer.language) for kind in changed}
    after: audit.Facts = {kind.value: _written(medium, language) for kind, medium in changed.items()}
    if language is not customer.language:
        before["language"], after["language"] = customer.language, language
        customer.language = language
    if after:
        _grow(session, customer)
        for kind, medium in changed.items():
            _replace(session, now.get(kind), medium)
        _record(session, actor, customer_id, before, after)
        _tell(session, actor, customer, tuple(after), email_now if ContactKind.EMAIL in changed else None)
    if new_email and new_email != email_now:
        _send_code(session, actor, customer_id, new_email)
        return Changed(tuple(_WORDS[name] for name in after), new_email)
    return Changed(tuple(_WORDS[name] for name in after))


def count_try(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Count a try of the code; a click of its own before `confirm_email`, so that a refusal can't undo it. Raises NoCode."""
    actor.require(Permission.ACCOUNT_WRITE, customer_id)
    row = _verification(session, customer_id)
    if row is None or row.failures >= CODE_TRIES:
        raise NoCode
    row.failures += 1
    session.add(row)
    session.flush()


def confirm_email(session: Session, actor: Actor, *, customer_id: int, code: str) -> str:
    """Take the new e-mail once the code that was sent there comes back, and return it; the old one is told (W10).

    Call `count_try` in a click before. Raises ContractEnded, NoCode, WrongCode.
    """
    actor.require(Permission.ACCOUNT_WRITE, customer_id)
    customer = _open_for_change(session, customer_id)
    row = _verification(session, customer_id)
    if row is None or row.failures > CODE_TRIES:
        raise NoCode
    if not hmac.compare_digest(row.code_hash, _hash(customer_id, row.email, "".join(code.split()))):
        if row.failures >= CODE_TRIES:
            raise NoCode
        raise WrongCode(left=CODE_TRIES - row.failures)
    old = _current(session, customer_id).get(ContactKind.EMAIL)
    _grow(session, customer)
    _replace(session, old, _new(customer_id, ContactKind.EMAIL, value=row.email, verified_at=clock.now()))
    session.delete(row)
    session.flush()
    throttle.succeeded(session, _sends(customer_id))
    _record(session, actor, customer_id, {"email": _value(old)}, {"email": row.email})
    _tell(session, actor, customer, ("email",), _value(old))
    return row.email


def _open_for_change(session: Session, customer_id: int) -> Customer:
    customer = session.exec(select(Customer).where(Customer.id == customer_id)).first()
    if customer is None:
        raise NotFound
    if customer.status is CustomerStatus.CLOSED:
        raise ContractEnded(ended=customer.status_since)
    return customer


def _grow(session: Session, customer: Customer) -> None:
    """Let the file's version grow before its media change: of two who save at once, the second one fails here."""
    flag_modified(customer, "language")
    session.add(customer)
    session.flush()


def _current(session: Session, customer_id: int) -> dict[ContactKind, ContactMedium]:
    query = select(ContactMedium).where(ContactMedium.customer_id == customer_id, col(ContactMedium.until_at).is_(None))
    return {row.kind: row for row in session.exec(query)}


def _replace(session: Session, old: ContactMedium | None, new: ContactMedium | None) -> None:
    """Close what was, and let what is follow."""
    if old is not None:
        old.until_at = clock.now()
        session.add(old)
        session.flush()
    if new is not None:
        session.add(new)
        session.flush()


def _record(session: Session, actor: Actor, customer_id: int, before: audit.Facts, after: audit.Facts) -> None:
    audit.record(
        session, actor, action="contact:change", object_type="customer", object_id=customer_id, customer_id=customer_id,
        before=before, after=after,
    )  # fmt: skip


def _tell(session: Session, actor: Actor, customer: Customer, names: tuple[str, ...], old_email: str | None) -> None:
    """Tell the customer what changed, at the e-mail he had when that is what changed."""
    what = ", ".join(i18n.translate(customer.language, _WORDS[name]) for name in names)
    communications.send(session, actor, customer_id=customer.id, template="contact_changed", params={"what": what}, to=old_email)


def _send_code(session: Session, actor: Actor, customer_id: int, email: str) -> None:
    throttle.begin(session, _sends(customer_id))
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    found = session.exec(select(EmailVerification).where(EmailVerification.customer_id == customer_id).with_for_update()).first()
    now = clock.real_now()
    row = found or EmailVerification(customer_id=customer_id, email=email, code_hash="", sent_at=now, expires_at=now)
    row.email, row.code_hash, row.failures = email, _hash(customer_id, email, code), 0
    row.sent_at, row.expires_at = now, now + CODE_LIVES
    session.add(row)
    session.flush()
    communications.send(session, actor, customer_id=customer_id, template="email_code", params={"code": code}, to=email)
    audit.record(
        session,
        actor,
        action="email:send_code",
        object_type="customer",
        object_id=customer_id,
        customer_id=customer_id,
        after={"email": email},
    )


def _verification(session: Session, customer_id: int) -> EmailVerification | None:
    """Return the code that waits, while it lives; real time counts, as a demo's clock stands."""
    query = select(EmailVerification).where(EmailVerification.customer_id == customer_id, EmailVerification.expires_at > clock.real_now())
    return session.exec(query.with_for_update()).first()


def _sends(customer_id: int) -> throttle.Scope:
    return throttle.Scope(f"email_code:{customer_id}")


def _hash(customer_id: int, email: str, code: str) -> str:
    return hashlib.sha256(f"{customer_id} {email} {code}".encode("utf-8", "surrogatepass")).hexdigest()


def _require_paper_bills(session: Session, customer_id: int) -> None:
    media = session.exec(select(BillingAccount.media).where(BillingAccount.customer_id == customer_id)).first()
    if media is BillMedia.PDF:
        raise EmailInUse


def _address(customer_id: int, street: str, number: str, box: str, postcode: str, town: str, *, kept: bool) -> ContactMedium:
    medium = _new(
        customer_id,
        ContactKind.ADDRESS,
        street=needed(street, field="street", length=120),
        number=needed(number, field="number", length=12),
        box=normalise(box, field="box", length=12) or None,
        postcode=re.sub(r"^BE?[ -]*(?=\d)", "", needed(postcode, field="postcode", length=12).upper()),
        town=needed(town, field="town", length=80),
        country="BE",
    )
    postcodes.check(medium.postcode or "", medium.town or "", kept=kept)
    return medium


def _e164(phone: str) -> str:
    phone = needed(phone, field="phone", length=30)
    if not _PHONE.fullmatch(phone):
        raise NotAPhone
    try:
        number = phonenumbers.parse(phone, "BE")
    except phonenumbers.NumberParseException:
        raise NotAPhone from None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _NOBODY_ANSWERS:
        raise NotAPhone
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _email(email: str) -> str | None:
    email = normalise(email, field="email", length=_EMAIL_LENGTH).lower()
    if email and (not _EMAIL.fullmatch(email) or len(email.partition("@")[0]) > _LOCAL_LENGTH):
        raise NotAnEmail
    return email or None


def _new(customer_id: int, kind: ContactKind, **facts: Any) -> ContactMedium:  # noqa: ANN401 - the columns of the table
    return ContactMedium(customer_id=customer_id, kind=kind, since_at=clock.now(), **facts)


def _value(medium: ContactMedium | None) -> str | None:
    return medium.value if medium else None


def _parts(medium: ContactMedium | None) -> dict[str, Any]:
    names = ("street", "number", "box", "postcode", "town")
    return {name: getattr(medium, name, None) or "" for name in names}


def _facts(medium: ContactMedium | None) -> tuple[object, ...]:
    return (_value(medium), *_parts(medium).values())


def _written(medium: ContactMedium | None, language: str) -> str | None:
    return (medium.value or address_line(**_parts(medium), language=language)) if medium else None
