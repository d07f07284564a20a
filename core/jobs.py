"""Does what is due by the clock: `python -m core.jobs run`, from a scheduler, as often as it likes."""

import argparse
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from smtplib import SMTPException

from core import catalogue, clock
from core.actor import SYSTEM, Actor, Permission
from core.db import reading, transaction
from core.mail import post
from core.services import access_point, audit_trail, bill_runs, e_invoices, jobs, outbox
from core.services.jobs import BILLS, TRAIL, Job
from core.settings import settings

log = logging.getLogger("guichet")

Watch = Callable[[date, Job, float], None]
"""What is told while jobs run: the day, the job, and how much of it is done, from 0 to 1."""


@dataclass
class Report:
    """What a pass came to: how much was done of each job on each day, and which ones went wrong."""

    done: list[tuple[date, Job, int]]
    failed: list[tuple[date, Job, str]]
    mails: int = 0
    mails_failed: int = 0
    e_invoices: int = 0


def run(actor: Actor, watch: Watch = lambda _day, _job, _share: None) -> Report:
    """Do all that is due, each job of each day in a transaction of its own; one that goes wrong is tried again at the next pass.

    A job that failed for a day is not done for the days after it: they would be done in the wrong order.
    """
    actor.require(Permission.JOB_RUN)
    with reading() as session:
        todo = list(jobs.due(session, actor))
    report, stopped, looked_through = Report([], []), set(), False
    with catalogue.held():
        for day, job in todo:
            if job.name in stopped:
                continue
            watch(day, job, 0.0)
            try:
                if job is BILLS:
                    _step_through_bills(day, watch)
                if job is TRAIL and not looked_through:
                    with reading() as session:
                        audit_trail.check(session, SYSTEM)
                    looked_through = True
                with transaction() as session:
                    count = jobs.do(session, SYSTEM, job=job, day=day)
            except Exception as error:
                log.exception("job %s of %s failed", job.name, day)
                stopped.add(job.name)
                report.failed.append((day, job, f"{type(error).__name__}: {error}"))
                continue
            if count is not None:
                report.done.append((day, job, count))
            watch(day, job, 1.0)
    _send_mail(report)
    report.e_invoices = deliver_e_invoices()
    return report


def _step_through_bills(day: date, watch: Watch) -> None:
    """Make a day's bills in many small transactions, so that whoever is killed in between loses a few seconds only."""
    with transaction() as session, clock.standing(clock.at(day, jobs.HOUR)):
        bill_runs.start(session, SYSTEM, day=day)
    waits = True
    while waits:
        with transaction() as session, clock.standing(clock.at(day, jobs.HOUR)):
            waits = bill_runs.step(session, SYSTEM, day=day)
            found = bill_runs.summary(session, SYSTEM, day=day)
        watch(day, BILLS, found.share if found else 1.0)


def _send_mail(report: Report) -> None:
    """Hand over the e-mails that wait, each between two transactions of its own: a slow mail server locks nobody out."""
    url, ours = settings().smtp_url, catalogue.company()
    while url:
        with transaction() as session:
            mail = outbox.take(session, SYSTEM)
        if mail is None:
            return
        problem = None
        try:
            post(url, sender=ours.email, name=ours.name, to=mail.to, subject=mail.subject, body=mail.body, reference=mail.reference)
        except (OSError, SMTPException, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            log.warning("e-mail %s was not taken: %s", mail.id, problem)
        with transaction() as session:
            outbox.settle(session, SYSTEM, message_id=mail.id, problem=problem)
        report.mails, report.mails_failed = report.mails + (problem is None), report.mails_failed + (problem is not None)


def deliver_e_invoices() -> int:
    """Hand over the e-invoices that wait and return how many that were: nothing is locked while an access point answers."""
    handed = 0
    while True:
        with transaction() as session:
            parcel = e_invoices.take_due(session, SYSTEM)
        if parcel is None:
            return handed
        answer = access_point.hand_over(parcel)
        with transaction() as session:
            e_invoices.settle(session, SYSTEM, parcel=parcel, answer=answer)
        handed += 1


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command and return its exit code: 0 when all was done, 1 when something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs", description=__doc__)
    parser.add_subparsers(dest="command", required=True).add_parser("run", help="do all that is due and not done yet")
    parser.parse_args(arguments)
    report = run(SYSTEM, _tell if sys.stderr.isatty() else lambda _day, _job, _share: None)
    for day, job, count in report.done:
        if count:
            sys.stdout.write(f"{day} {job.name}: {count}\n")
    for day, job, told in report.failed:
        sys.stderr.write(f"{day} {job.name} failed: {told}\n")
    sys.stdout.write(
        f"{len(report.done)} jobs done, {len(report.failed)} failed; {report.mails} e-mails sent, {report.mails_failed} not taken\n"
    )
    return 1 if report.failed else 0


def _tell(day: date, job: Job, share: float) -> None:
    sys.stderr.write(f"\r{day} {job.name:<12} {share:4.0%} ")


if __name__ == "__main__":
    sys.exit(main())
