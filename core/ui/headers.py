"""The security headers that every answer carries: Streamlit sets none of its own."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings
from core.ui import cookie, keys

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
_PRIVATE = ("/media/", "/auth/", "/api/")


class Headers:
    """Adds the headers to each HTTP answer, and a name to each new browser."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), request)
            await send(message)

        await self.app(scope, receive, answer)


def _add(headers: MutableHeaders, request: Request) -> None:
    framed = "'self'" if settings().demo else "'none'"  # Community Cloud shows an app inside a frame of the same site.
    headers["Content-Security-Policy"] = policy(request.headers.get("host", ""), framed)
    headers["X-Frame-Options"] = "SAMEORIGIN" if settings().demo else "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
    if cookie.is_https(request):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.url.path.startswith(_PRIVATE):
        headers["Cache-Control"] = "no-store"
    if line := cookie.name_browser(request):
        headers.append("Set-Cookie", line)


def policy(host: str, framed: str) -> str:
    """Return the content policy: everything from this host alone.

    Streamlit sets styles inline, and its Vega charts compile their expressions; no inline script but its own, and the one of our keys, may run.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' {_inline_scripts()} {keys.fingerprint()}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self'{sockets}; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        f"form-action 'self'; frame-ancestors {framed}"
    )


@cache
def _inline_scripts() -> str:
    """Return the hashes of the scripts that stand in Streamlit's own page, so that no other inline script may run."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)
