"""The settings of a line: an alert, which tells and never blocks, and a cap, which blocks (W4)."""

from functools import partial

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.errors import N_, NotFound
from core.models.product import AlertChannel, AlertMetric
from core.services import alerts, caps, products
from core.services.alerts import Alert
from core.services.changes import Subject
from core.services.products import Held
from core.services.usage_numbers import national
from core.ui import changes, forms, gate, two_at_once
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import drawer
from core.ui.text import euro, md, t
from core.ui.two_at_once import Field

NONE = -1
"""The choice of no alert, or no cap: a widget can't tell None from nothing chosen."""

_LABELS = {AlertMetric.BUNDLE_PERCENT: N_("Bundle used"), AlertMetric.OVER_CENTS: N_("Spent above the bundle")}
_CHANNELS = {AlertChannel.SMS: N_("SMS"), AlertChannel.EMAIL: N_("E-mail"), AlertChannel.BOTH: N_("SMS and e-mail")}


def button(plan: Held) -> None:
    """Draw the button that opens the settings of a line; nothing where a plan has nothing to set."""
    if not alerts.metrics(plan.offering) and not caps.offered(plan.offering):
        return
    if st.button(t("Settings"), key=f"home:settings:{plan.product_no}", icon=":material/notifications:", type="tertiary"):
        forms.forget()
        words = (t("Settings"), md(plan.user_name or ""), national(plan.line) if plan.line else "")
        drawer(" · ".join(word for word in words if word), lambda: _drawer(plan.product_no))


def _drawer(product_no: str) -> None:
    visit = gate.visit(Permission.CUSTOMER_READ)
    try:
        with reading() as session:
            plan = products.of_product_no(session, visit.actor, customer_id=visit.customer.id, product_no=product_no)
    except NotFound:
        st.rerun()  # The plan ended meanwhile: the page behind says so.
    body(visit, plan)


def body(visit: Visit, plan: Held) -> None:
    """Draw the two forms."""
    with reading() as session:
        chosen = alerts.of_customer(session, visit.actor, customer_id=visit.customer.id)[plan.id]
        cap_cents = caps.of_customer(session, visit.actor, customer_id=visit.customer.id).get(plan.id)
    may = visit.actor.may(Permission.ORDER_WRITE)
    if chosen:
        _alert_form(visit, plan, chosen, may=may)
    if caps.offered(plan.offering):
        _cap_form(visit, plan, cap_cents, may=may)
    changes.section(visit, Subject.PRODUCT, plan.id)


def _alert_form(visit: Visit, plan: Held, chosen: tuple[Alert, ...], *, may: bool) -> None:
    form = f"home:alert:{plan.product_no}"
    fields = {
        f"{form}:{alert.metric}": Field(
            t(_LABELS[alert.metric]), NONE if alert.threshold is None else alert.threshold, partial(_threshold, alert.metric)
        )
        for alert in chosen
    }
    fields[f"{form}:channel"] = Field(t("Sent by"), chosen[0].channel, lambda channel: t(_CHANNELS[channel]))
    two_at_once.fill(form, visit.customer.id, fields)
    with st.form(form, border=True):
        st.markdown(f"**{t('Alert')}** · {t('tells, never blocks')}")
        for alert in chosen:
            options = [*alerts.choices(alert.metric), NONE]
            st.selectbox(
                t(_LABELS[alert.metric]), options, format_func=partial(_threshold, alert.metric), key=f"{form}:{alert.metric}", disabled=not may,
            )  # fmt: skip
        channels = list(_CHANNELS)
        st.selectbox(
            t("Sent by"), channels, format_func=lambda channel: t(_CHANNELS[channel]),
            key=f"{form}:channel", disabled=not may,
        )  # fmt: skip
        st.checkbox(t("No alert is wanted: a high bill may come unannounced"), key=f"{form}:no_alert", disabled=not may)
        forms.error(form, "no_alert")
        forms.answer(form)
        two_at_once.show(form)
        key = operation(form, plan.version)
        metrics = tuple(alert.metric for alert in chosen)
        st.form_submit_button(
            t("Save the alert"), key=f"{form}:save", disabled=not may, on_click=_set_alerts,
            args=(form, visit.customer.id, plan.product_no, plan.version, metrics, key),
        )  # fmt: skip
    two_at_once.theirs(form)


def _cap_form(visit: Visit, plan: Held, cap_cents: int | None, *, may: bool) -> None:
    form = f"home:cap:{plan.product_no}"
    options = [*caps.choices(), NONE]
    label = t("At most above the bundle")
    two_at_once.fill(form, visit.customer.id, {f"{form}:choice": Field(label, NONE if cap_cents is None else cap_cents, _cap)})
    with st.form(form, border=True):
        st.markdown(f"**{t('Cap')}** · {t('blocks until the period ends')}")
        st.selectbox(
            label, options, format_func=_cap, key=f"{form}:choice", disabled=not may,
        )  # fmt: skip
        if visit.actor.staff:
            st.checkbox(t("The account holder asks for it (to raise or lift it)"), key=f"{form}:holder_asks", disabled=not may)
            forms.error(form, "holder_asks")
        forms.answer(form)
        two_at_once.show(form)
        st.form_submit_button(
            t("Save the cap"), key=f"{form}:save", disabled=not may, on_click=_set_cap,
            args=(form, visit.customer.id, plan.product_no, plan.version, operation(form, plan.version)),
        )  # fmt: skip
    two_at_once.theirs(form)


def _threshold(metric: AlertMetric, value: int) -> str:
    if value == NONE:
        return t("no alert")
    if metric is AlertMetric.BUNDLE_PERCENT:
        return t("at {percent} %", percent=value)
    return t("from the first cent") if value == 0 else t("from {amount_cents} on", amount_cents=value)


def _cap(value: int) -> str:
    if value == NONE:
        return t("no cap")
    return t("{amount}: premium numbers and calls abroad are barred too", amount=euro(0)) if value == 0 else euro(value)


def _set_alerts(form: str, customer_id: int, product_no: str, version: int, metrics: tuple[AlertMetric, ...], key: str) -> None:
    """Save the alerts of a line."""
    chosen = {metric: st.session_state[f"{form}:{metric}"] for metric in metrics}
    saved = act(
        alerts.set_alerts, form=form, operation=key, done=t("Saved."), customer_id=customer_id, product_no=product_no,
        shown_version=version, thresholds={metric: None if value == NONE else value for metric, value in chosen.items()},
        channel=AlertChannel(st.session_state[f"{form}:channel"]), no_alert=st.session_state[f"{form}:no_alert"],
    )  # fmt: skip
    if saved:
        st.session_state[f"{form}:no_alert"] = False


def _set_cap(form: str, customer_id: int, product_no: str, version: int, key: str) -> None:
    """Save the cap of a line."""
    chosen = st.session_state[f"{form}:choice"]
    saved = act(
        caps.set_cap, form=form, operation=key, done=t("Saved. It holds from now on."), customer_id=customer_id, product_no=product_no,
        shown_version=version, cap_cents=None if chosen == NONE else chosen,
        holder_asks=bool(st.session_state.get(f"{form}:holder_asks")),
    )  # fmt: skip
    if saved:
        st.session_state[f"{form}:holder_asks"] = False
