"""How a sign-in gets into the browser: a cookie that no script can read, set by a route of ours (S14).

Streamlit can't set a cookie from a script. So the form sends the browser to `/auth/in` with a ticket that works once, within
30 seconds and in that browser only; the route sets the cookie and sends it back to where it was.
"""

import re
import secrets
from urllib.parse import quote, urlencode

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.db import reading, transaction
from core.services import sessions

SESSION = "guichet_session"
BROWSER = "guichet_browser"
"""A random name of the browser: it shows that cookies reach us, and which browsers an account knows."""

_YEAR_SECONDS = 365 * 24 * 3600
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def go(path: str, **query: str) -> None:
    """Send the browser to an address of our own, out of a running script.

    Streamlit has no command for it: this is the message that st.login uses. Where a version no longer has it, a link appears.
    """
    target = f"{path}?{urlencode(query)}" if query else path
    try:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: PLC0415 - internal, so a version without it must not stop the app
        from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415 - the same

        message = ForwardMsg()
        message.auth_redirect.url = target
        get_script_run_ctx().enqueue(message)  # type: ignore[union-attr]
    except (ImportError, AttributeError):
        st.link_button("Guichet", target)


def local(path: str | None) -> str:
    """Return a path of our own site as it may follow a redirect, and `/` for anything else."""
    return path if path is not None and _LOCAL.fullmatch(path) else "/"


def sign_in(request: Request) -> Response:
    """Turn a ticket into the cookie; without a good one, nothing changes."""
    with transaction() as session:
        ticket = request.query_params.get("ticket", "")
        token = sessions.redeem(session, ticket, browser=request.cookies.get(BROWSER, ""))
    response = RedirectResponse(quote(local(request.query_params.get("next")), safe="/?&=%+:@,;!$'()*-._~"), status_code=303)
    if token is not None:
        response.set_cookie(
            SESSION, token, httponly=True, samesite="strict", secure=is_https(request), max_age=int(sessions.LONGEST.total_seconds())
        )
    return response


def sign_out(request: Request) -> Response:
    """Drop the cookie of a session that ended; a live one stays, so that a link on another site can't sign anyone out."""
    response = RedirectResponse("/", status_code=303)
    token = request.cookies.get(SESSION)
    if token is not None:
        with reading() as session:
            ended = sessions.find(session, token) is None
        if ended:
            response.delete_cookie(SESSION, httponly=True, samesite="strict", secure=is_https(request))
    return response


ROUTES = [Route("/auth/in", sign_in), Route("/auth/out", sign_out)]


def name_browser(request: Request) -> str | None:
    """Return the Set-Cookie line that names a browser on its first page, or None where it has a name.

    Lax, not strict: a strict one would not come along from a link in a mail, and each such visit would rename the browser.
    """
    if request.method != "GET" or "text/html" not in request.headers.get("accept", "") or request.cookies.get(BROWSER):
        return None
    response = Response()
    name = secrets.token_urlsafe(32)
    response.set_cookie(BROWSER, name, httponly=True, samesite="lax", secure=is_https(request), max_age=_YEAR_SECONDS)
    return response.headers["set-cookie"]


def is_https(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "") == "https"
