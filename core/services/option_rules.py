"""Which options go together, and who may switch what. Pure: the catalogue and what is held in, a decision or a refusal out (W3)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalogue import Catalogue, Offering
from core.errors import N_, DomainError, NotFound
from core.models.customer import CustomerStatus
from core.models.product import ProductStatus
from core.services.products import Held


class FileClosed(DomainError):
    """The customer has left."""

    message = N_("This customer has left: nothing can be ordered. A new contract is needed.")


class Suspended(DomainError):
    """Only what bars something may change while services are suspended."""

    message = N_("The services are suspended: only restrictions can change. Settle the overdue bills first.")


class NotForThisPlan(DomainError):
    """The option does not exist under this plan."""

    message = N_("“{option}” does not go with {plan}. Choose one of the options shown.")


class AlreadyOn(DomainError):
    """It runs already."""

    message = N_("“{option}” is already on. Nothing needs to be ordered.")


class MostReached(DomainError):
    """No more of them fit."""

    message = N_("There are already {most} of “{option}”, which is the most. Take one away first.")


class Needs(DomainError):
    """It does not work without another one."""

    message = N_("“{option}” needs “{needed}”. Add that first.")


class Excludes(DomainError):
    """The two don't go together."""

    message = N_("“{option}” does not go with “{other}”. Switch that off first.")


class StillNeeded(DomainError):
    """Another option does not work without it."""

    message = N_("“{other}” needs “{option}”. Switch that off first.")


class UnderWay(DomainError):
    """An order for this option has not taken effect yet."""

    message = N_("Order {order_no} for “{option}” is still under way. Undo it, or wait until it is done.")


class NotOn(DomainError):
    """There is nothing to switch off."""

    message = N_("“{option}” is not on. Nothing needs to be ordered.")


class EndsByItself(DomainError):
    """A volume that was bought once."""

    message = N_("“{option}” was bought once and ends by itself with the period. Unused, it can be undone on the day of the order.")


@dataclass(frozen=True)
class Situation:
    """What a decision depends on: the customer, the plan with its options, and the orders under way by option code."""

    status: CustomerStatus
    plan: Held
    under_way: Mapping[str, str]
    sold: Catalogue


def switch_on(at: Situation, code: str) -> tuple[Held, ...]:
    """Return the running options that this one replaces. Raises one of the refusals above."""
    option = _option(at, code)
    may_order(at, option)
    replaced = tuple(one for one in at.plan.options if one.code in option.replaces)
    for one in replaced:
        _not_under_way(at, one.offering)
    if at.plan.count(code) >= option.max:
        raise AlreadyOn(option=option) if option.max == 1 else MostReached(option=option, most=option.max)
    codes = _codes(at.plan.options)
    codes.subtract(one.code for one in replaced)
    codes[code] += 1
    check_together(at.sold, codes, code)
    return replaced


def switch_off(at: Situation, code: str) -> Held:
    """Return the running option that ends: of several the last one. Raises one of the refusals above."""
    option = _option(at, code)
    may_order(at, option)
    running = [one for one in at.plan.options if one.code == code]
    if not running:
        raise NotOn(option=option)
    if option.one_shot:
        raise EndsByItself(option=option)
    codes = _codes(at.plan.options)
    codes[code] -= 1
    check_together(at.sold, codes, code)
    return max(running, key=lambda one: one.ordinal)


def may_order(at: Situation, option: Offering) -> None:
    """Refuse a customer who may not order, and an option with an order under way."""
    if at.status is CustomerStatus.CLOSED:
        raise FileClosed
    if not option.restriction and (at.status is CustomerStatus.SUSPENDED or at.plan.status is ProductStatus.SUSPENDED):
        raise Suspended
    _not_under_way(at, option)


def check_together(sold: Catalogue, codes: Counter[str], changed: str) -> None:
    """Refuse a set of options under one plan that can't run together; `changed` is the one the sentence is about."""
    present = [code for code, count in codes.items() if count > 0]
    for code in present:
        option = sold[code]
        if codes[code] > option.max:
            raise MostReached(option=option, most=option.max)
        for needed in option.requires:
            if codes[needed] < 1:
                raise _need(sold[needed], option, changed)
        for other in (*option.excludes, *option.replaces):
            if codes[other] > 0:
                first, second = (other, code) if other == changed else (code, other)
                raise Excludes(option=sold[first], other=sold[second])


def _need(needed: Offering, option: Offering, changed: str) -> DomainError:
    return StillNeeded(option=needed, other=option) if needed.code == changed else Needs(option=option, needed=needed)


def _option(at: Situation, code: str) -> Offering:
    option = at.sold.offerings.get(code)
    if option is None or option.is_plan:
        raise NotFound
    if at.plan.code not in option.parents:
        raise NotForThisPlan(option=option, plan=at.sold[at.plan.code])
    return option


def _not_under_way(at: Situation, option: Offering) -> None:
    if order_no := at.under_way.get(option.code):
        raise UnderWay(option=option, order_no=order_no)


def _codes(options: Iterable[Held]) -> Counter[str]:
    return Counter(one.code for one in options)
