"""Prints the accounts of a demo and their password: `python -m seed.accounts`. In live mode there are none."""

from core.services.users import DEMO_CUSTOMERS, DEMO_PASSWORD, DEMO_STAFF
from core.settings import settings
from seed.story import stories


def table() -> str:
    """Return the accounts as a small table."""
    names = {story["account"]: _name(story["customer"]) for story in stories()}
    rows = [
        *((user, role.value, name) for user, (role, name) in DEMO_STAFF.items()),
        *((user, "customer", names[user]) for user in DEMO_CUSTOMERS),
    ]
    width = max(len(user) for user, _role, _name in rows)
    lines = [f"  {user:<{width}}  {role:<9} {name}" for user, role, name in rows]
    return "\n".join(["Demo accounts:", *lines, f"Password of all: {DEMO_PASSWORD}", ""])


def _name(customer: dict[str, str]) -> str:
    return customer.get("trading_name") or f"{customer['given_name']} {customer['family_name']}"


if __name__ == "__main__" and settings().demo:
    print(table())
