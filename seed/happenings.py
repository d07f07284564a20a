"""What can happen to a sample customer: each entry of a story is one of these, told through the services."""

import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.models.appointment import AppointmentCategory, DayPart, Failure
from core.models.communication import MessageChannel
from core.models.customer import CustomerStatus
from core.models.document import DocumentKind
from core.models.interaction import Interaction, InteractionChannel, Task, Team
from core.models.product import ProductStatus
from core.services import (
    appointments,
    audit,
    caps,
    collections,
    communications,
    credit_notes,
    documents,
    moves,
    notes,
    orders,
    payment_plans,
    products,
    refunds,
    slots,
    tags,
    tasks,
)
from core.services.bill_words import CreditReason
from core.services.move_rules import Wish
from seed.scene import Scene

Facts = Mapping[str, Any]
AGENT = Actor(user_id=None, username="agent", role=Role.AGENT)


def _message(scene: Scene, facts: Facts) -> None:
    channel = MessageChannel(facts["channel"]) if "channel" in facts else None
    communications.send(
        scene.session, SYSTEM, customer_id=scene.customer.id, template=facts["template"], params=facts["params"], channel=channel
    )


def _call(scene: Scene, facts: Facts) -> None:
    scene.session.add(
        Interaction(
            customer_id=scene.customer.id, channel=InteractionChannel.PHONE, reason=facts["reason"], at=clock.now(), agent="agent",
            note=facts["note"], ended_at=clock.now(), seconds=facts.get("seconds", 240), handed_to=facts.get("handed_to"),
        )
    )  # fmt: skip


def _task(scene: Scene, facts: Facts) -> None:
    scene.session.add(
        Task(
            customer_id=scene.customer.id, code=facts.get("code", tasks.FREE), words=facts.get("words"), due=facts.get("due"),
            owner=facts.get("owner"), team=Team(facts["team"]) if "team" in facts else None, created_at=clock.now(),
            created_by="system" if "code" in facts else "agent",
        )
    )  # fmt: skip


def _desk_note(scene: Scene, facts: Facts) -> None:
    author = Actor(user_id=None, username=facts.get("author", "agent"), role=Role.AGENT)
    notes.add(scene.session, author, customer_id=scene.customer.id, text=facts["text"], pinned=facts.get("pinned", False))


def _tag(scene: Scene, facts: Facts) -> None:
    tags.add(scene.session, AGENT, customer_id=scene.customer.id, word=facts["word"], last=facts.get("last"))


def _order(scene: Scene, facts: Facts) -> None:
    plan = products.of_product_no(scene.session, scene.self, customer_id=scene.customer.id, product_no=facts["product"])
    orders.confirm(
        scene.session, scene.self, customer_id=scene.customer.id, product_no=plan.product_no, offering_code=facts["option"], turn_on=True,
        shown_version=plan.version,
    )  # fmt: skip


def _appointment(scene: Scene, facts: Facts) -> None:
    day, part = facts["day"], DayPart(facts["part"])
    zone = slots.zone_of(scene.story["customer"]["address"]["postcode"])
    appointments.book(
        scene.session, AGENT, customer_id=scene.customer.id, category=AppointmentCategory(facts["category"]),
        slot_id=slots.slot_id(zone, day, part),
    )  # fmt: skip


def _appointment_done(scene: Scene, facts: Facts) -> None:
    row = scene.visit(facts["number"])
    appointments.complete(
        scene.session,
        AGENT,
        customer_id=scene.customer.id,
        appointment_id=row.id,
        shown_version=row.version,
        network_fault=not facts["fee"],
    )


def _appointment_failed(scene: Scene, facts: Facts) -> None:
    row = scene.visit(facts["number"])
    appointments.fail(
        scene.session, AGENT, customer_id=scene.customer.id, appointment_id=row.id, shown_version=row.version, by=Failure(facts["by"])
    )


def _credit_note(scene: Scene, facts: Facts) -> None:
    product = scene.products.get(facts.get("product", ""))
    credit_notes.issue_credit_note(
        scene.session,
        SYSTEM,
        customer_id=scene.customer.id,
        reason=CreditReason(facts["reason"]),
        bill_no=facts["bill"],
        product_id=product.id if product else None,
        since=facts.get("since", facts.get("visit")),
        until=facts.get("until"),
        day=facts["date"],
        note_no=facts["number"],
        refund_iban=facts.get("refund_iban"),
    )


def _returned(scene: Scene, facts: Facts) -> None:
    collections.return_collection(scene.session, SYSTEM, customer_id=scene.customer.id, bill_no=facts["bill"], code=facts["code"])


def _refund(scene: Scene, facts: Facts) -> None:
    refunds.refund(
        scene.session, SYSTEM, customer_id=scene.customer.id, credit_note_no=facts["credit_note"], iban=facts["iban"],
        completed_on=facts["completed"], tell=False,
    )  # fmt: skip


def _plan(scene: Scene, facts: Facts) -> None:
    payment_plans.propose_plan(scene.session, SYSTEM, customer_id=scene.customer.id, shown_plan=None, parts=facts["parts"])


def _move(scene: Scene, facts: Facts) -> None:
    visit = facts["appointment"]
    slot = slots.slot_id(slots.zone_of(facts["to"]["postcode"]), visit["day"], DayPart(visit["part"]))
    wish = Wish(
        **facts["to"], move_out=facts["move_out"], move_in=facts["move_in"], slot_id=slot,
        contact_name=scene.customer.name, contact_phone=scene.story["customer"]["phone"],
    )  # fmt: skip
    moves.confirm(scene.session, AGENT, customer_id=scene.customer.id, wish=wish)


def _close(scene: Scene, facts: Facts) -> None:
    scene.customer.status, scene.customer.status_since = CustomerStatus.CLOSED, clock.today() - timedelta(days=1)
    scene.customer.status_reason = facts["reason"]
    for product in scene.products.values():
        product.status, product.until = ProductStatus.TERMINATED, clock.today()
        communications.send(
            scene.session, SYSTEM, customer_id=scene.customer.id, template="contract_ended",
            params={"what": "Internet Loco", "effective": clock.today() - timedelta(days=1), "mailbox_until": scene.customer.mailbox_until},
        )  # fmt: skip
    _note(scene, "close", {"status": "closed", "reason": facts["reason"]})


def _note(scene: Scene, verb: str, after: dict[str, Any]) -> None:
    scene.session.flush()
    audit.record(
        scene.session, SYSTEM, action=f"customer:{verb}", object_type="customer", object_id=scene.customer.id,
        customer_id=scene.customer.id, after=after,
    )  # fmt: skip


def _document(scene: Scene, facts: Facts) -> None:
    documents.add(
        scene.session,
        scene.self,
        customer_id=scene.customer.id,
        kind=DocumentKind(facts["kind"]),
        name=facts["name"],
        data=_card(scene.customer.name),
    )


def _card(name: str) -> bytes:
    """Draw a card that is nobody's: grey, with the word SPECIMEN, its number and photo blacked out."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only when a demo is filled

    picture = Image.new("RGB", (856, 540), "#DDE6EE")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 120, 260, 400), fill="black")
    draw.rectangle((300, 440, 620, 480), fill="black")
    draw.text((300, 60), "SPECIMEN", fill="#6A7684", font_size=64)
    draw.text((300, 180), name, fill="#0F1720", font_size=40)
    stored = io.BytesIO()
    picture.save(stored, "PNG")
    return stored.getvalue()


def _cap(scene: Scene, facts: Facts) -> None:
    plan = products.of_product_no(scene.session, scene.self, customer_id=scene.customer.id, product_no=facts["product"])
    caps.set_cap(
        scene.session,
        scene.self,
        customer_id=scene.customer.id,
        product_no=plan.product_no,
        cap_cents=facts["cents"],
        shown_version=plan.version,
    )


HAPPENINGS: dict[str, Callable[[Scene, Facts], None]] = {
    "message": _message,
    "call": _call,
    "task": _task,
    "note": _desk_note,
    "tag": _tag,
    "order": _order,
    "cap": _cap,
    "appointment": _appointment,
    "appointment_done": _appointment_done,
    "appointment_failed": _appointment_failed,
    "credit_note": _credit_note,
    "returned": _returned,
    "refund": _refund,
    "plan": _plan,
    "move": _move,
    "close": _close,
    "document": _document,
}
