"""What is done to accounts at the server's own console: `python -m core.admin create-user NAME ROLE`."""

import argparse
import getpass
import sys

from core.actor import SYSTEM, Role
from core.db import transaction
from core.errors import DomainError
from core.i18n import translate
from core.services import search_index, security, users

_STAFF = sorted(role.value for role in Role if role not in {Role.CUSTOMER, Role.SYSTEM})


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command and return its exit code: 0 when it was done, 1 when it was refused."""
    given = _parser().parse_args(arguments)
    try:
        with transaction() as session:
            if given.command == "create-user":
                name = given.full_name or given.name
                users.create(session, SYSTEM, username=given.name, name=name, role=Role(given.role), password=_ask())
            elif given.command == "rebuild-search":
                given.name = f"{search_index.rebuild(session.connection())} customers"
            elif given.command == "set-password":
                security.set_by_operator(session, username=given.name, password=_ask())
            else:
                users.set_active(session, SYSTEM, username=given.name, active=given.command == "open-user")
    except DomainError as refusal:
        sys.stderr.write(translate("en", refusal.message, **refusal.params) + "\n")
        return 1
    sys.stdout.write(f"{given.name}: done\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.admin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-user", help="make an account of the house; the password is asked")
    create.add_argument("name", help="what the user signs in with")
    create.add_argument("role", choices=_STAFF)
    create.add_argument("--full-name", help="how the user is called on the screen")
    for command, what in (
        ("set-password", "give an account of the house a new password; all its sessions end"),
        ("close-user", "close an account: it is out at its next click"),
        ("open-user", "open a closed account again"),
    ):
        commands.add_parser(command, help=what).add_argument("name")
    commands.add_parser("rebuild-search", help="make anew what the search looks through: after somebody wrote past the house")
    return parser


def _ask() -> str:
    """Ask for a password twice, unseen; from a pipe it is read as one line, blanks and all."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("New password: ")
    if password != getpass.getpass("Again: "):
        raise security.Differs
    return password


if __name__ == "__main__":
    sys.exit(main())
