"""What every page looks like: the icon, the logo, the style sheets. Read once per process: a file opened in each run costs more than a query."""

import base64
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_ASSETS = _HERE / "assets"


@cache
def icon() -> str:
    """Return the icon of the browser's tab as an address that holds it."""
    return f"data:image/png;base64,{_encoded('icon.png')}"


@cache
def logo() -> str:
    """Return the logo as inline HTML: st.image would add a button to the tab order."""
    return f'<img src="data:image/svg+xml;base64,{_encoded("logo.svg")}" width="118" alt="Guichet">'


@cache
def style(name: str) -> str:
    """Return a style sheet of this folder for st.html."""
    return f"<style>{(_HERE / f'{name}.css').read_text('utf-8')}</style>"


def _encoded(name: str) -> str:
    return base64.b64encode((_ASSETS / name).read_bytes()).decode()
