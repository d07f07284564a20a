"""No click may lose another's work: a verb takes the version that was shown, or is named here with the reason why it needs none."""

from tests.browser.two_cases import CASES
from tests.rules.clicks import guarded, handed_on

SAFE = {
    "access.give_reason": "adds a reason",
    "access.reveal": "adds a look",
    "appointments.book": "adds a visit; a slot is taken once, by the database",
    "approvals.request_credit": "adds a request; one at most waits for a bill",
    "approvals.request_refund": "adds a request; one at most waits for what it pays back",
    "bill_runs.run_day": "makes what is missing; a customer has one bill a day, by the database",
    "bills.pdf": "reads",
    "bulk.begin": "adds a run",
    "bulk.resume": "goes on with what is left; a row is done once, by its state",
    "bulk.stop": "ends what still waits",
    "collection_runs.file": "reads",
    "collection_runs.make_batch": "makes what is missing; a bill is in one file, by the database",
    "collection_runs.withdraw": "a step that a withdrawn collection refuses",
    "contacts.confirm_email": "takes the one e-mail that its code was sent to; a newer request ends the code",
    "contacts.count_try": "counts up",
    "corrections.credit": "adds a note; no more than is left of a line, under a lock; its form hands in the version",
    "demo.move_clock": "moves on from where the clock stands",
    "documents.add": "adds a document",
    "dunning.decide_dispute": "a step that a decided dispute refuses",
    "dunning.declare_payment": "adds the one announcement of the year",
    "dunning.dispute": "adds a dispute; one at most is open for a bill, by the database",
    "e_invoices.document": "reads",
    "interactions.begin": "adds a talk; an agent has one at a time, by the database",
    "interactions.check": "adds an answer",
    "looks.ask_report": "adds an entry",
    "looks.export": "reads",
    "macros.run": "carries the seal of what was shown",
    "mandate_signing.count_try": "counts up",
    "mandate_signing.request": "adds a mandate; one at most is open, by the database",
    "mandate_signing.resend_code": "puts a new code in place of the old one, which is what it is for",
    "mandate_signing.sign": "a step that a signed mandate refuses",
    "mandates.pdf": "reads",
    "moves.confirm": "adds a move; one at most is under way",
    "notes.add": "adds a note",
    "order_undo.undo": "a step that an undone order refuses",
    "payment_corrections.count_left": "counts no more than is left of a payment, under a lock",
    "payment_corrections.reverse": "a step that a reversed allocation refuses",
    "payment_entry.enter": "adds a payment",
    "payment_matching.give": "a step that a matched payment refuses",
    "payments.match": "a step that a matched payment refuses",
    "pins.pin": "adds a pin of one's own",
    "pins.unpin": "takes a pin of one's own away",
    "refunds.refund": "adds a refund of no more than is left, under a lock",
    "returns.take_in": "adds what a file holds, once",
    "saved_views.save": "adds a view; a name is taken once",
    "security.change_password": "asks for the current password",
    "security.check_answer": "counts up",
    "security.count_try": "counts up",
    "security.send_reset": "adds a link",
    "sessions.revoke": "ends for good",
    "sessions.revoke_all": "ends for good",
    "sessions.watch": "changes one's own session",
    "statements.take_in": "adds what a file holds, once",
    "tags.add": "adds a tag; a word stands once, by the database",
    "tasks.add": "adds a task",
}
"""Verb that a click carries out, and why two of them at once can't lose each other's work."""


def test_each_click_carries_a_version_or_needs_none() -> None:
    assert {verb for verb in handed_on() if not guarded(verb)} == SAFE.keys()


def test_each_form_that_carries_a_version_is_tried_by_two_people_at_once() -> None:
    """What is missing in `CASES` of tests/browser/two_cases.py is a form in which nobody saw what the second one is told."""
    assert {verb for verb in handed_on() if guarded(verb)} == CASES.keys()
