"""Why an amount is what it is: every sample customer's story, and steps that always add up."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from core import clock, i18n
from core.actor import SYSTEM
from core.models.product import Product
from core.models.usage import Tariff, UsageKind
from core.services import bills
from core.services.billing import Account, Coverage, Held, preview
from core.services.explain import Explanation, Paper, Told, explain
from core.services.usage import Sum
from tests.builders import AGENT, make_customer, make_product
from tests.services.money_stories import NOVEMBER, bill, family, legacy

SINCE, DECEMBER = date(2024, 1, 1), date(2026, 12, 5)
PAID_OCTOBER, PAID_NOVEMBER = Coverage(date(2026, 10, 5), date(2026, 11, 1)), Coverage(NOVEMBER, date(2026, 12, 1))


def said(told: Told) -> str:
    return i18n.translate("en", told.msgid, **told.params).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def steps(found: Explanation) -> list[tuple[str, int]]:
    return [(said(step.label), step.cents) for step in found.steps]


class TestExplain:
    def test_p01_noas_data_and_premium_messages(self, session: Session) -> None:
        customer = family(session)
        found = bills.explain_next(session, AGENT, customer_id=customer.id, language="en")
        assert (found.before_cents, found.total_cents) == (7800, 14600)
        assert steps(found) == [
            ("Mobile data outside the bundle, Noa: 1.240 MB × 0,05 €", 6200),
            ("Premium services, Noa: 3 × 2,00 €", 600),
        ]
        assert [said(one.sentence) for one in found.advice] == [
            "The option 5 GB a month (10,00 € a month) would have avoided these 62,00 €."
        ]
        assert found.advice[0].worth_it
        assert said(found.sentences[0]) == (
            "Mobile data outside the bundle, Noa: the bundle was used up on 14/11/2026 at 18:00; what came after is charged."
        )
        assert said(found.vat) == "115,70 € + 24,30 € VAT (21 %) = 140,00 €; 6,00 € of third parties, outside VAT"

    def test_an_option_that_runs_since_is_advised_no_more(self, session: Session) -> None:
        customer = family(session)
        noa = session.exec(select(Product).where(Product.customer_id == customer.id, Product.user_name == "Noa")).one()
        make_product(session, customer, "MOB_DATA_5G", parent_id=noa.id, since=date(2026, 11, 18))
        found = bills.explain_next(session, AGENT, customer_id=customer.id, language="en")
        assert found.total_cents == 14600 + 433 + 1000
        assert found.advice == ()

    def test_p02_the_peak_option_is_not_worth_it(self) -> None:
        usage = {(1, UsageKind.VOICE, Tariff.PEAK): Sum(9, 2700, 2700, 225)}
        after = preview(account=Account(), held=[Held("DUO", SINCE, None, 1)], bill_date=NOVEMBER, previous=PAID_OCTOBER, usage=usage)
        found = explain(Paper.of_draft(after), Paper.of_draft(after), plans={1: "DUO"}, language="en")
        assert (found.before_date, found.same_as) == (None, NOVEMBER)
        assert [cents for _words, cents in steps(found)] == [3600, 225]  # Nothing changed: its own lines say what it is made of.
        assert said(found.sentences[-1]) == "Peak-hour calls of the fixed line: 45 min × 0,05 € on both bills."
        assert [(said(one.sentence), one.worth_it) for one in found.advice] == [
            ("45 min cost 2,25 €; the option Free calls in peak hours costs 5,00 € a month: it would not have been worth it.", False)
        ]

    def test_p09_tells_how_the_old_and_the_new_bills_meet(self, session: Session) -> None:
        found = bills.explain_next(session, AGENT, customer_id=legacy(session).id, language="en")
        assert (found.before_cents, found.total_cents) == (800, 1093)
        assert steps(found) == [("Mobile Red, 0470 00 00 09: 8,00 € × 11/30 (20/11 – 30/11)", 293)]
        assert "no day is charged twice. So there is no bill on" in said(found.sentences[0])

    def test_p12_a_first_bill_is_told_by_its_own_lines(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "CHILI", since=date(2026, 11, 16))
        found = bills.explain_next(session, AGENT, customer_id=customer.id, language="en")
        assert steps(found) == [("Mobile Chili: 28,00 € × 15/30 (16/11 – 30/11)", 1400), ("Mobile Chili: December 2026", 2800)]

    def test_p04_a_business_sees_its_vat_as_a_step(self) -> None:
        account = Account(business=True)
        before = preview(account=account, held=[Held("LOCO", SINCE)], bill_date=NOVEMBER, previous=PAID_OCTOBER)
        held = [Held("LOCO", SINCE), Held("CHILI", date(2026, 12, 1))]
        after = preview(account=account, held=held, bill_date=DECEMBER, previous=PAID_NOVEMBER)
        found = explain(Paper.of_draft(after), Paper.of_draft(before), plans={}, language="en")
        assert steps(found) == [("Mobile Chili: new", 2314), ("VAT", after.vat_cents - before.vat_cents)]
        assert found.vat.params["excl_cents"] == after.excl_cents
        assert found.vat.params["own_cents"] == after.excl_cents + after.vat_cents == found.total_cents

    def test_tells_what_began_what_ended_and_what_was_only_before(self) -> None:
        over = {(1, UsageKind.DATA, Tariff.OVER): Sum(1, 200_000, 200_000, 1000)}
        first = [Held("RED", SINCE, None, 1), Held("MOB_UNLIM_CALLS", SINCE, date(2026, 12, 1), 2)]
        before = preview(account=Account(), held=first, bill_date=NOVEMBER, previous=PAID_OCTOBER, usage=over)
        second = [Held("RED", SINCE, None, 1), Held("MOB_DATA_5G", date(2026, 11, 18), None, 3)]
        after = preview(account=Account(), held=second, bill_date=DECEMBER, previous=PAID_NOVEMBER)
        assert steps(explain(Paper.of_draft(after), Paper.of_draft(before), plans={1: "RED"}, language="en")) == [
            ("5 GB a month: 10,00 € × 13/30 (18/11 – 30/11)", 433), ("5 GB a month: new", 1000), ("Unlimited calls: ended", -500),
            ("Mobile data outside the bundle: only on the bill before", -1000),
        ]  # fmt: skip

    def test_an_issued_bill_is_explained_by_the_one_before_it(self, session: Session) -> None:
        customer = family(session)
        bill(session, customer, date(2026, 10, 5))
        found = bills.explain_bill(session, AGENT, customer_id=customer.id, bill_no="2611000017", language="en")
        assert (found.before_date, found.same_as, found.total_cents) == (None, date(2026, 10, 5), 7800)
        assert [step.cents for step in found.steps] == [4200, 500, 800, 1500, 800]

    def test_an_issued_bill_tells_when_the_bundle_was_used_up(self, session: Session) -> None:
        customer = family(session)
        with clock.standing(clock.at(date(2026, 12, 5), 6)):
            draft = bills.preview_next(session, AGENT, customer_id=customer.id)
            assert draft is not None
            issued = bills.issue(session, SYSTEM, customer_id=customer.id, draft=draft.draft)
            found = bills.explain_bill(session, AGENT, customer_id=customer.id, bill_no=issued.bill_no, language="en")
        assert "used up on 14/11/2026 at 18:00" in said(found.sentences[0])

    @given(
        before=st.lists(st.tuples(st.sampled_from(["TRIO", "RED", "HOT", "TV_SPORT"]), st.dates(SINCE, NOVEMBER))),
        after=st.lists(st.tuples(st.sampled_from(["TRIO", "RED", "HOT", "TV_SPORT", "MOB_DATA_1G"]), st.dates(SINCE, DECEMBER))),
        over=st.integers(0, 9_000_000),
        business=st.booleans(),
    )
    def test_steps_always_add_up(self, before: list[tuple[str, date]], after: list[tuple[str, date]], over: int, *, business: bool) -> None:
        account = Account(business=business)
        usage = {(0, UsageKind.DATA, Tariff.OVER): Sum(1, over, over, -(-over // 1000) * 5)}
        old, new = ([Held(code, since, None, number) for number, (code, since) in enumerate(one)] for one in (before, after))
        first = preview(account=account, held=old, bill_date=NOVEMBER, previous=PAID_OCTOBER)
        second = preview(account=account, held=new, bill_date=DECEMBER, previous=PAID_NOVEMBER, usage=usage)
        found = explain(Paper.of_draft(second), Paper.of_draft(first), plans={}, language="fr")
        assert found.before_cents + sum(step.cents for step in found.steps) == found.total_cents
