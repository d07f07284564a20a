"""Who it is in this run. The answer comes from the handshake of the connection and from the database, never from memory.

Streamlit gives a session, with all its state, to whoever names its id. So the state is tied to the cookies it was made under:
somebody who comes to it with others sees nothing of it, and takes nothing from its owner (S08).
"""

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from core.db import reading, transaction
from core.services import sessions
from core.services.sessions import SignedIn
from core.settings import settings
from core.ui import cookie
from core.ui.text import t

__all__ = ["SignedIn", "address", "browser", "current", "device", "enter", "origin", "sign_out"]

SESSION_ID = "_session_id"
_OWNER = "_owner"
_TAB_TOKEN = "_tab_token"  # noqa: S105 - the name of a place, not a secret
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))


def current() -> SignedIn | None:
    """Return who is signed in at this moment, or None; stop the run where the state belongs to another browser."""
    cookies = dict(st.context.cookies)  # Read once: Streamlit parses them anew at each look.
    _stop_strangers(cookies)
    token = _token(cookies)
    if token is None:
        return None
    with reading() as session:
        found = sessions.find(session, token)
    st.session_state[SESSION_ID] = found.session_id if found else 0
    if found is not None and found.unseen:
        with transaction() as session:
            sessions.seen(session, found.session_id)
    return found


def enter(token: str) -> None:
    """Let a fresh sign-in into the browser: by the cookie, or into this tab alone where a demo's host drops cookies."""
    _stop_strangers(dict(st.context.cookies))
    if not browser() and settings().demo:
        st.session_state[_TAB_TOKEN] = token
        return
    with transaction() as session:
        ticket = sessions.issue_ticket(session, token, browser=browser())
    cookie.go("/auth/in", ticket=ticket, next=_here())


def sign_out() -> None:
    """End the session on the server first, then drop the cookie: a copy of it opens nothing any more (S10)."""
    signed_in = current()
    if signed_in is not None:
        with transaction() as session:
            sessions.revoke(session, signed_in.actor, customer_id=None, session_id=signed_in.session_id)
    in_tab = _TAB_TOKEN in st.session_state
    st.session_state.clear()
    st.query_params.clear()
    if not in_tab:
        cookie.go("/auth/out")


def browser() -> str:
    """Return the random name of this browser, empty where cookies do not arrive."""
    return _cookie(cookie.BROWSER)


def address() -> str | None:
    """Return the network address the connection comes from; None on this machine itself."""
    return _text(st.context.ip_address) or None


def origin() -> str:
    """Return where the app is reached, for links in messages: in live mode as configured alone, for a browser could name another host."""
    if not settings().demo or settings().public_url:
        return settings().public_url or ""
    found = re.match(r"https?://[^/]+", st.context.url or "")
    return found[0] if found else "http://localhost"


def device() -> str:
    """Return how a session is recognised in a list: "Firefox · Windows"."""
    agent = _text(st.context.headers.get("User-Agent"))
    words = [next((name for sign, name in known if sign in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return " · ".join(word for word in words if word)


def _stop_strangers(cookies: Mapping[str, str]) -> None:
    """Stop the run of whoever came to a state that was made under other cookies."""
    owner = _handshake(cookies)
    if st.session_state.setdefault(_OWNER, owner) != owner:
        st.error(t("This tab belongs to another sign-in. Reload the page."), icon=":material/lock:")
        st.stop()


def _token(cookies: Mapping[str, str]) -> str | None:
    in_tab = settings().demo and not _text(cookies.get(cookie.BROWSER))
    return _text(cookies.get(cookie.SESSION)) or (st.session_state.get(_TAB_TOKEN) if in_tab else None)


def _handshake(cookies: Mapping[str, str]) -> str:
    """Return what tells this connection's browser and sign-in from others; Streamlit's own token stands in where ours do not arrive."""
    known = _text(cookies.get(cookie.BROWSER))
    ours = _text(cookies.get(cookie.SESSION)), known
    theirs = "" if known else _unmasked(_text(cookies.get("_streamlit_xsrf")))
    return hashlib.sha256("\n".join((*ours, theirs)).encode("utf-8", "surrogatepass")).hexdigest()


def _unmasked(token: str) -> str:
    """Return what stays the same in Streamlit's token, which comes as `2|mask|masked|time` under a new mask each time."""
    found = re.fullmatch(r'"?2\|([0-9a-f]{8})\|([0-9a-f]+)\|\d+"?', token)
    if found is None:
        return token
    mask, masked = (bytes.fromhex(part) for part in found.groups())
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked)).hex()


def _here() -> str:
    """Return the address that is open, with its query, as a path of our own site."""
    path = re.sub(r"^[a-z]+://[^/]+", "", st.context.url or "") or "/"
    query = urlencode({name: st.query_params.get_all(name) for name in st.query_params}, doseq=True)
    return f"{path}?{query}" if query else path


def _cookie(name: str) -> str:
    return _text(st.context.cookies.get(name))


def _text(value: object) -> str:
    """Return a value of the handshake; where there was none, as in AppTest, what Streamlit offers is no text."""
    return value if isinstance(value, str) else ""
