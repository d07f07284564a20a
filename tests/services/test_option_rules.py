"""Which options go together: every refusal, its remedy, and a set that can never break the catalogue's rules."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, catalogue
from core.errors import DomainError, NotFound
from core.i18n import translate
from core.models.customer import CustomerStatus
from core.models.product import ProductStatus
from core.services import option_rules
from core.services.option_rules import Situation
from core.services.products import Held

SINCE = date(2024, 1, 1)


def held(code: str, *options: str, status: ProductStatus = ProductStatus.ACTIVE) -> Held:
    ordinals: Counter[str] = Counter()
    under = []
    for number, option in enumerate(options, 2):
        ordinals[option] += 1
        under.append(Held(number, f"{number}", option, 1, ordinals[option], SINCE, None, status, None, None, False, 1, 0, True))
    return Held(1, "1", code, None, 1, SINCE, None, status, None, None, False, 1, 0, True, tuple(under))


def at(
    plan: Held,
    *,
    status: CustomerStatus = CustomerStatus.ACTIVE,
    under_way: Mapping[str, str] | None = None,
    sold: Catalogue | None = None,
) -> Situation:
    return Situation(status, plan, under_way or {}, sold or catalogue())


def changed(code: str, **facts: object) -> Catalogue:
    """The catalogue with one offering changed."""
    sold = catalogue()
    return sold.model_copy(update={"offerings": sold.offerings | {code: sold[code].model_copy(update=facts)}})


SPORT_NEEDS_A_DECODER = changed("TV_SPORT", requires=("TV_DECODER_EXTRA",))
SPORT_EXCLUDES_MOVIES = changed("TV_SPORT", excludes=("TV_MOVIES",))


class TestSwitchOn:
    def test_a_free_option_replaces_nothing(self) -> None:
        assert option_rules.switch_on(at(held("RED")), "MOB_DATA_5G") == ()

    def test_peak_replaces_off_peak_and_the_other_way_round(self) -> None:
        assert [one.code for one in option_rules.switch_on(at(held("TRIO", "TEL_OFFPEAK")), "TEL_PEAK")] == ["TEL_OFFPEAK"]
        assert [one.code for one in option_rules.switch_on(at(held("TRIO", "TEL_PEAK")), "TEL_OFFPEAK")] == ["TEL_PEAK"]

    def test_refuses_an_option_already_on(self) -> None:
        with pytest.raises(option_rules.AlreadyOn):
            option_rules.switch_on(at(held("RED", "MOB_DATA_5G")), "MOB_DATA_5G")

    def test_refuses_a_third_decoder(self) -> None:
        option_rules.switch_on(at(held("TRIO", "TV_DECODER_EXTRA")), "TV_DECODER_EXTRA")
        with pytest.raises(option_rules.MostReached) as refusal:
            option_rules.switch_on(at(held("TRIO", "TV_DECODER_EXTRA", "TV_DECODER_EXTRA")), "TV_DECODER_EXTRA")
        assert refusal.value.params["most"] == 2

    def test_refuses_what_belongs_to_another_plan(self) -> None:
        with pytest.raises(option_rules.NotForThisPlan):
            option_rules.switch_on(at(held("HOT")), "MOB_UNLIM_CALLS")

    @pytest.mark.parametrize("code", ["NOTHING", "TRIO"])
    def test_does_not_find_what_is_no_option(self, code: str) -> None:
        with pytest.raises(NotFound):
            option_rules.switch_on(at(held("RED")), code)

    def test_refuses_without_what_it_needs_and_says_what_to_add(self) -> None:
        with pytest.raises(option_rules.Needs) as refusal:
            option_rules.switch_on(at(held("TRIO"), sold=SPORT_NEEDS_A_DECODER), "TV_SPORT")
        said = translate("fr", refusal.value.message, **refusal.value.params)
        assert "Ajoutez d'abord «\xa0Décodeur TV supplémentaire\xa0»" in said
        option_rules.switch_on(at(held("TRIO", "TV_DECODER_EXTRA"), sold=SPORT_NEEDS_A_DECODER), "TV_SPORT")

    @pytest.mark.parametrize(("first", "second"), [("TV_SPORT", "TV_MOVIES"), ("TV_MOVIES", "TV_SPORT")])
    def test_refuses_what_excludes_it_whichever_came_first(self, first: str, second: str) -> None:
        with pytest.raises(option_rules.Excludes) as refusal:
            option_rules.switch_on(at(held("TRIO", first), sold=SPORT_EXCLUDES_MOVIES), second)
        assert (refusal.value.params["option"].code, refusal.value.params["other"].code) == (second, first)  # type: ignore[attr-defined]

    def test_refuses_while_an_order_for_it_is_under_way(self) -> None:
        with pytest.raises(option_rules.UnderWay) as refusal:
            option_rules.switch_on(at(held("TRIO"), under_way={"TV_SPORT": "O1000001701"}), "TV_SPORT")
        assert refusal.value.params["order_no"] == "O1000001701"

    def test_refuses_to_replace_what_an_order_is_about_to_end(self) -> None:
        with pytest.raises(option_rules.UnderWay):
            option_rules.switch_on(at(held("TRIO", "TEL_PEAK"), under_way={"TEL_PEAK": "O1000001701"}), "TEL_OFFPEAK")

    @pytest.mark.parametrize("suspended", ["account", "product"])
    def test_a_suspended_customer_may_only_bar(self, suspended: str) -> None:
        account = suspended == "account"
        status = CustomerStatus.SUSPENDED if account else CustomerStatus.ACTIVE
        situation = at(held("RED", status=ProductStatus.ACTIVE if account else ProductStatus.SUSPENDED), status=status)
        option_rules.switch_on(situation, "MOB_BAR_PREMIUM")
        with pytest.raises(option_rules.Suspended):
            option_rules.switch_on(situation, "MOB_DATA_5G")

    @pytest.mark.parametrize("code", ["MOB_BAR_PREMIUM", "MOB_DATA_5G"])
    def test_one_who_left_orders_nothing(self, code: str) -> None:
        with pytest.raises(option_rules.FileClosed):
            option_rules.switch_on(at(held("RED"), status=CustomerStatus.CLOSED), code)


class TestSwitchOff:
    def test_takes_the_last_of_several(self) -> None:
        assert option_rules.switch_off(at(held("TRIO", "TV_DECODER_EXTRA", "TV_DECODER_EXTRA")), "TV_DECODER_EXTRA").ordinal == 2

    def test_refuses_what_is_not_on(self) -> None:
        with pytest.raises(option_rules.NotOn):
            option_rules.switch_off(at(held("TRIO")), "TV_SPORT")

    def test_refuses_what_another_option_needs(self) -> None:
        with pytest.raises(option_rules.StillNeeded) as refusal:
            option_rules.switch_off(at(held("TRIO", "TV_DECODER_EXTRA", "TV_SPORT"), sold=SPORT_NEEDS_A_DECODER), "TV_DECODER_EXTRA")
        assert refusal.value.params["other"].code == "TV_SPORT"  # type: ignore[attr-defined]

    def test_lets_one_of_two_decoders_go_that_an_option_needs(self) -> None:
        plan = held("TRIO", "TV_DECODER_EXTRA", "TV_DECODER_EXTRA", "TV_SPORT")
        assert option_rules.switch_off(at(plan, sold=SPORT_NEEDS_A_DECODER), "TV_DECODER_EXTRA").ordinal == 2

    def test_a_volume_bought_once_ends_by_itself(self) -> None:
        with pytest.raises(option_rules.EndsByItself):
            option_rules.switch_off(at(held("HOT", "MOB_DATA_1G")), "MOB_DATA_1G")

    def test_a_suspended_customer_may_lift_a_restriction(self) -> None:
        option_rules.switch_off(at(held("RED", "MOB_BAR_PREMIUM"), status=CustomerStatus.SUSPENDED), "MOB_BAR_PREMIUM")


class TestCheckTogether:
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([one.code for one in catalogue().options_of("TRIO")])), max_size=25))
    def test_no_row_of_switches_breaks_a_rule(self, switches: list[tuple[bool, str]]) -> None:
        sold = changed("TV_SPORT", requires=("TV_DECODER_EXTRA",), excludes=("TV_FAMILY",))
        plan = held("TRIO")
        for turn_on, code in switches:
            codes = [one.code for one in plan.options]
            try:
                if turn_on:
                    replaced = option_rules.switch_on(at(plan, sold=sold), code)
                    codes = [*(one for one in codes if one not in {gone.code for gone in replaced}), code]
                else:
                    option_rules.switch_off(at(plan, sold=sold), code)
                    codes.remove(code)
            except DomainError:
                continue
            plan = held("TRIO", *codes)
        count = Counter(one.code for one in plan.options)
        assert all(number <= sold[code].max for code, number in count.items())
        assert not {"TEL_PEAK", "TEL_OFFPEAK"} <= set(count)
        assert not {"TV_SPORT", "TV_FAMILY"} <= set(count)
        assert "TV_SPORT" not in count or "TV_DECODER_EXTRA" in count
