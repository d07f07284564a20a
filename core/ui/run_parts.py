"""The pieces of the page of bill runs: what is due, the next run tried out, the runs that were, and the work of each day."""

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st

from core import clock, i18n, jobs
from core.actor import Actor, Permission
from core.db import reading
from core.services import bill_runs
from core.services.bill_runs import Rehearsal, RunSummary
from core.services.jobs import Job, JobState
from core.services.list_filters import Condition, Group, Op
from core.services.lists import Query
from core.ui import charts, forms, list_address, navigation
from core.ui.act import act, operation
from core.ui.parts import Mark, card, draw, empty, fact_rows, head, heading, note, row
from core.ui.text import day, euro, language, md, percent, t, tn

FORM = "runs"
NONE = "\u2013"
"""A dash where there is nothing."""
_TRIED = "_rehearsed"


def show_due(actor: Actor, due: Sequence[tuple[date, Job]]) -> None:
    """Offer to do what is due and not done yet; a scheduler does it by itself."""
    with card("due"):
        forms.answer(FORM)
        if not due:
            draw(head(t("All that was due is done"), 3, marks=[Mark(t("Done"), "good", "check_circle")]))
            return
        days = len({on for on, _job in due})
        draw(head(tn("{count} day is to be done", "{count} days are to be done", days), 3, marks=[Mark(t("Waits"), "watch", "schedule")]))
        if st.button(t("Do it now"), key="runs:start", type="primary", icon=":material/play_arrow:"):
            _run(actor)


def show_next(actor: Actor, coming: Mapping[date, int]) -> None:
    """Try out a run to come: the same drafts that it will issue, and nothing written."""
    with card("next_run"):
        with row("next_run"):
            heading(t("The next runs"), 3, width="content")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            chosen = st.selectbox(
                t("Day"), list(coming), index=list(coming.values()).index(max(coming.values())), key="runs:day", width=260,
                format_func={on: f"{day(on)} · {tn('{count} customer', '{count} customers', many)}" for on, many in coming.items()}.__getitem__,
            )  # fmt: skip
            asked = st.button(t("Try it out"), key="runs:rehearse", icon=":material/science:")
        if asked:
            with st.spinner(t("All bills of that day are drafted …")), reading() as session:
                st.session_state[_TRIED] = clock.today(), bill_runs.rehearse(session, actor, day=chosen)
        on, tried = st.session_state.get(_TRIED, (None, None))
        if tried and (on, tried.day) == (clock.today(), chosen):
            _rehearsed(tried)
        else:
            empty(t("Nothing is issued: it shows what the run would bring as things stand now."))


def show_runs(actor: Actor, runs: Sequence[RunSummary]) -> None:
    """Draw the runs that were, the newest first."""
    with card("runs"):
        with row("past_runs"):
            heading(t("Runs so far"), 3)
        if not runs:
            empty(t("No run yet. Bills of before were taken over with their customers."))
        for run in runs:
            _run_row(actor, run)


def show_jobs(states: Sequence[JobState]) -> None:
    """Draw how far the work of each day has come."""
    with card("jobs"):
        with row("jobs"):
            heading(t("Done by itself, each day"), 3)
        rows = [
            (
                t(one.job.label),
                day(one.until) if one.until else NONE,
                i18n.number(one.count, language()),
            )
            for one in states
        ]
        charts.table(t("Done by itself, each day"), [t("Work"), t("Done until"), t("How many")], rows, numbers={2})


def _run(actor: Actor) -> None:
    bar = st.progress(0.0, t("It runs …"))

    def watch(on: date, job: Job, share: float) -> None:
        bar.progress(share, f"{day(on)} · {t(job.label)}")

    report = jobs.run(actor, watch)
    if report.failed:
        on, job, _told = report.failed[0]
        forms.say(FORM, t("{job} of {on} did not work and waits for the next try. The log says why.", job=t(job.label), on=on), good=False)
    else:
        forms.say(FORM, t("Done."), good=True)
    st.rerun()


def _rehearsed(found: Rehearsal) -> None:
    told = tn("{count} bill", "{count} bills", found.bills)
    if found.nothing:
        told = f"{told} · {t('{count} without a bill', count=found.nothing)}"
    pairs = [
        (t("Customers"), told),
        (t("Without VAT"), euro(found.excl_cents)),
        (t("VAT"), euro(found.vat_cents)),
        (t("Third parties"), euro(found.third_party_cents)),
        (t("Together"), euro(found.due_cents)),
    ]
    if found.failed:
        pairs.append((t("Can't be made"), tn("{count} customer", "{count} customers", found.failed)))
    draw(fact_rows(pairs, strong=(4,)))
    if found.jumps:
        draw(note(t("The bills that change most:")))
        for jump in found.jumps:
            query = navigation.customer_query(jump.customer_no) | {"bill": "next"}
            change = f"{euro(jump.before_cents)} → {euro(jump.after_cents)}"
            st.page_link(navigation.page("bills"), label=f"{md(jump.name)} · {md(change)}", query_params=query)


def _run_row(actor: Actor, run: RunSummary) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-run-{run.day}"):
        told = [tn("{count} bill", "{count} bills", run.issued)]
        if run.nothing:
            told.append(t("{count} without a bill", count=run.nothing))
        if run.failed:
            told.append(t("{count} failed", count=run.failed))
        if run.waiting:
            told.append(tn("{count} waits", "{count} wait", run.waiting))
        draw(f"{head(day(run.day), 3, note=' · '.join(told), marks=[_state(run)], end=euro(run.due_cents))}")
    if run.issued and actor.may(Permission.LIST_READ):
        of_day = Query("bills", Group(every=True, parts=(Condition("date", Op.EQ, (run.day.isoformat(),)),)))
        query = list_address.query_params(of_day)
        st.page_link(navigation.page("lists"), label=t("See its bills"), icon=":material/list_alt:", query_params=query)
    if run.failed:
        with reading() as session:
            found = bill_runs.problems(session, actor, day=run.day)
        for one in found:
            st.text(f"{one.customer_no} · {one.name} · {one.told}")
        if actor.may(Permission.BILL_ISSUE):
            shown = operation(FORM, run.day, run.finished_at)
            st.button(t("Try again"), key=f"runs:again:{run.day}", icon=":material/replay:", on_click=_again, args=(run.day, shown))


def _again(on: date, key: str) -> None:
    act(bill_runs.run_day, form=FORM, operation=key, done=t("The bills of {on} that failed were tried again.", on=on), day=on)


def _state(run: RunSummary) -> Mark:
    if run.failed:
        return Mark(t("With mistakes"), "bad", "error")
    if run.finished_at is None:
        return Mark(percent(run.share), "watch", "progress_activity")
    return Mark(t("Finished"), "good", "check_circle")
