"""The files in which direct debits of the last months went to the bank: made afterwards of what was collected, a few statements in all."""

import hashlib
import zlib
from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import SYSTEM
from core.bank.direct_debits import Debit, render
from core.models.bill import Bill
from core.models.billing_account import PaymentMethod
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState, Sequence
from core.models.mandate import Mandate
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, collection_facts, collection_files, collection_runs
from seed.bulk import keyed

MONTHS = 3
"""How far back files are told: a bank answers for that long."""
_SENT_AT = 6


def file_past(session: Session) -> None:
    """Write the files of the last months, and send what had to be sent by this morning."""
    by_day: dict[date, list[Any]] = defaultdict(list)
    for row in _collected(session, clock.add_months(clock.month_start(clock.today()), 1 - MONTHS)):
        by_day[row.received_on].append(row)
    files = [(day, rows, _file(day, rows)) for day, rows in sorted(by_day.items())]
    ids = keyed(session, CollectionBatch, [made for _day, _rows, made in files])
    keyed(
        session, Collection, [_collection(row, batch_id) for batch_id, (_day, rows, _made) in zip(ids, files, strict=True) for row in rows]
    )
    if files:
        found = {"files": len(files), "first": files[0][2]["message_id"], "last": files[-1][2]["message_id"]}
        audit.record(session, SYSTEM, action="collection:import", object_type="collection_batch", object_id=found["last"], after=found)
    with clock.standing(clock.at(clock.today(), _SENT_AT)):
        collection_runs.make_due(session, SYSTEM, clock.today())


def _collected(session: Session, since: date) -> list[Any]:
    """Return what was collected since a day, in its order; `first_on` is the first time a mandate was used."""
    first = (
        select(col(Payment.mandate_id).label("mandate_id"), func.min(col(Payment.received_on)).label("first_on"))
        .where(col(Payment.mandate_id).is_not(None))
        .group_by(col(Payment.mandate_id))
        .subquery()
    )
    columns = (
        Payment.received_on, Payment.amount_cents, Payment.payer_name, Payment.payer_iban, Payment.customer_id, Payment.mandate_id, Payment.state,
        Payment.returned_on, Payment.return_code, PaymentAllocation.bill_id, Bill.bill_no, Bill.ogm, Mandate.umr, Mandate.signed_on,
    )  # fmt: skip
    query = (
        select(*map(col, columns), col(Payment.id).label("payment_id"), first.c.first_on)
        .join(
            PaymentAllocation,
            (col(PaymentAllocation.customer_id) == col(Payment.customer_id)) & (col(PaymentAllocation.payment_id) == col(Payment.id)),
        )
        .join(Bill, (col(Bill.customer_id) == col(Payment.customer_id)) & (col(Bill.id) == col(PaymentAllocation.bill_id)))
        .join(Mandate, col(Mandate.id) == col(Payment.mandate_id))
        .join(first, first.c.mandate_id == col(Payment.mandate_id))
        .where(col(Payment.method) == PaymentMethod.DIRECT_DEBIT.value, col(Payment.received_on) >= since)
    )
    return list(session.execute(query.order_by(col(Payment.received_on), col(Bill.bill_no))).all())


def _file(day: date, rows: list[Any]) -> dict[str, Any]:
    sent_at = clock.at(collection_facts.last_day(day), _SENT_AT)
    message_id = collection_files.message_id(day, 1)
    data = render(collection_files.creditor(), message_id, clock.local(sent_at), [_debit(row) for row in rows])
    return {
        "version": 1,
        "message_id": message_id,
        "collect_on": day,
        "made_at": sent_at,
        "sent_at": sent_at,
        "state": BatchState.SETTLED,
        "collections": len(rows),
        "sum_cents": sum(row.amount_cents for row in rows),
        "sha256": hashlib.sha256(data).hexdigest(),
        "content": zlib.compress(data),
    }


def _debit(row: Any) -> Debit:  # noqa: ANN401 - a row of a wide select
    return Debit(
        f"{row.bill_no}D1", row.amount_cents, _sequence(row).value, row.received_on, row.umr, row.signed_on, row.payer_name, row.payer_iban,
        f"{row.bill_no} {row.ogm}",
    )  # fmt: skip


def _collection(row: Any, batch_id: int) -> dict[str, Any]:  # noqa: ANN401 - a row of a wide select
    came_back = row.state is PaymentState.RETURNED
    return {
        "version": 1,
        "customer_id": row.customer_id,
        "bill_id": row.bill_id,
        "mandate_id": row.mandate_id,
        "batch_id": batch_id,
        "payment_id": row.payment_id,
        "end_to_end_id": f"{row.bill_no}D1",
        "amount_cents": row.amount_cents,
        "sequence": _sequence(row),
        "collect_on": row.received_on,
        "state": CollectionState.RETURNED if came_back else CollectionState.SETTLED,
        "holder": row.payer_name,
        "iban": row.payer_iban,
        "amended": False,
        "returned_on": row.returned_on,
        "return_code": row.return_code,
    }


def _sequence(row: Any) -> Sequence:  # noqa: ANN401 - a row of a wide select
    return Sequence.FRST if row.received_on == row.first_on else Sequence.RCUR
