"""What a service raises when it refuses: an English sentence, its parameters, and the field it is about."""

from typing import ClassVar


def N_(msgid: str) -> str:  # noqa: N802 - the name gettext users expect
    """Mark a sentence for translation without translating it yet."""
    return msgid


class DomainError(Exception):
    """A refusal that the user can understand and act on.

    Subclasses set `message`, an English msgid with `{placeholders}`; the screen translates it and formats the parameters
    (an int named `*_cents` is money, a `date` a day, a `datetime` a moment). `field` names the input that must change.
    """

    message: ClassVar[str] = ""
    field: str | None = None

    def __init__(self, *, field: str | None = None, **params: object) -> None:
        self.params = params
        if field is not None:
            self.field = field
        super().__init__(type(self).__name__, params)


class NotPermitted(DomainError):
    """The actor's role does not allow this."""

    message = N_("You do not have the right to do this. Ask a colleague who has it.")


class NotFound(DomainError):
    """There is no such thing, or it belongs to someone else: the answer is the same."""

    message = N_("Not found. Check the number, or search for it.")


class ChangedMeanwhile(DomainError):
    """Somebody else saved first: the version that was shown is no longer the current one."""

    message = N_("Changed by {who} at {at}: check before you start again.")


class ResetMeanwhile(DomainError):
    """The demo is back on its first day: what was shown is gone."""

    message = N_("The demo was reset meanwhile. Reload the page and start again.")
