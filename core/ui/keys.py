"""The keyboard: one script for the whole page, and the overview of the single keys, which `?` opens. Who switched them off has no overview, and so no keys."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from core.errors import N_
from core.ui.text import esc, t

_FILE = Path(__file__).parent / "assets" / "keys.js"
KEYS = (
    ("/", N_("find a customer; an open drawer with nothing typed in it is closed")),
    ("↓ ↑ Enter", N_("through what was found, and open it; Enter in the box opens the only one, or the whole list")),
    ("1 2 3 …", N_("the tabs, from left to right")),
    ("Esc", N_("close what is open")),
    ("?", N_("this overview")),
)


@cache
def script() -> str:
    """Return the script."""
    return _FILE.read_text("utf-8")


@cache
def fingerprint() -> str:
    """Return what the content policy must name for the script to run: it stands inline, so that it works where the app has no routes of its own."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()}'"


def html(*, single: bool) -> str:
    """Return the script, with the overview where single keys are on."""
    overview = (
        f'<dialog class="g-keys" aria-label="{esc(t("Keyboard"))}"><h2>{esc(t("Keyboard"))}</h2>{rows()}'
        f'<p class="g-lead">{esc(t("Single keys rest while you type. You switch them off under your name, in “My password and sessions”."))}</p>'
        f"<button>{esc(t('Close'))}</button></dialog>"
    )
    return f"{overview if single else ''}<script>{script()}</script>"


def rows() -> str:
    """Return what each key does."""
    told = "".join(f"<dt>{''.join(f'<kbd>{esc(key)}</kbd>' for key in keys.split())}</dt><dd>{esc(t(does))}</dd>" for keys, does in KEYS)
    return f'<dl class="g-facts g-keylist">{told}</dl>'
