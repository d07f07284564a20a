"""A look at a customer's data, as a line; and an hour with more of them than usual."""

from core import i18n
from core.catalogue import law
from core.services import looks
from core.services.looks import Anomaly, Look
from core.ui.parts import Mark, Tone, entry
from core.ui.text import language, moment, t

_MARKS: dict[str, tuple[Tone, str]] = {
    "customer:open": ("neutral", "folder_open"),
    "customer:found": ("neutral", "search"),
    "customer:reason": ("info", "chat"),
    "customer:watch": ("info", "visibility"),
    "personal:reveal": ("watch", "visibility"),
    "usage:export": ("watch", "download"),
    "looks:export": ("watch", "download"),
}


def line(one: Look) -> str:
    """Make the line of a look."""
    what, of, why, words = looks.told(one, language())
    tone, icon = _MARKS.get(one.action, ("neutral", "description"))
    told = " · ".join(part for part in (of, why, f"« {words} »" if words else "") if part)
    return entry(moment(one.at, "short"), Mark(what, tone, icon), one.name, told)


def unusual(one: Anomaly) -> str:
    """Make the line of an hour."""
    mark = Mark(t("{files} files", files=one.files), "watch", "warning")
    usual = i18n.decimal(one.usual, language())
    return entry(
        moment(one.hour, "short"),
        mark,
        one.name,
        t("usually {usual} in an hour", usual=usual) if one.usual else t("nothing to compare with yet"),
    )


def rule() -> str:
    """Say when an hour is unusual."""
    given = law("looks_anomaly")
    return t(
        "Hours of the last {days} days with {least} files or more, and {times} times what the colleague opens in his other hours.",
        days=given["days"], least=given["least"], times=given["times"],
    )  # fmt: skip
