"""Steps through a bulk run: each row in a transaction of its own, so that whoever is stopped in between has done what he has done."""

import logging
import secrets
from collections.abc import Callable

from core import catalogue
from core.actor import Actor
from core.db import reading, transaction
from core.errors import DomainError
from core.services import bulk
from core.services.bulk import RunView, StepFailed, Unexpected

log = logging.getLogger("guichet")

Watch = Callable[[float], object]


def run(actor: Actor, run_id: int, watch: Watch = lambda _share: None) -> RunView:
    """Do all rows of a run that wait, and return how it stands then. `watch` hears the share that is done, between two rows.

    Two processes may step through the same run: each row is done by one of them.
    """
    with reading() as session:
        found = bulk.view(session, actor, run_id=run_id)
    with catalogue.held():
        if found.at_once:
            _together(actor, run_id)
        else:
            tried, many = found.done + found.failed, found.done + found.failed + found.waiting
            while _one(actor, run_id):
                tried += 1
                watch(min(tried / many, 1.0))
    with transaction() as session:
        bulk.finish(session, actor, run_id=run_id)
        return bulk.view(session, actor, run_id=run_id)


def _one(actor: Actor, run_id: int) -> bool:
    """Do the next row; whether there was one."""
    try:
        with transaction() as session:
            return bulk.step(session, actor, run_id=run_id) is not None
    except StepFailed as failed:
        _note(actor, run_id, failed)
        return True


def _together(actor: Actor, run_id: int) -> None:
    try:
        with transaction() as session:
            bulk.step_at_once(session, actor, run_id=run_id)
    except StepFailed as failed:
        _note(actor, run_id, failed)


def _note(actor: Actor, run_id: int, failed: StepFailed) -> None:
    cause = failed.cause
    if not isinstance(cause, DomainError):
        reference = secrets.token_hex(2).upper()
        log.error("row %s of bulk run %s failed, reference %s", failed.ordinal, run_id, reference, exc_info=cause)
        cause = Unexpected(reference=reference)
    with transaction() as session:
        bulk.fail(session, actor, run_id=run_id, ordinal=failed.ordinal, refusal=cause)
