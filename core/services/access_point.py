"""Hands e-invoices over to the access point that carries them over Peppol; without one, a demo says that it only simulated that."""

import base64
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from core.settings import settings

ANSWER_LENGTH = 300
TIMEOUT_SECONDS = 10
_TRY_AGAIN_LATER = {408, 425, 429}
_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True)
class Parcel:
    """A transmission on its way: the document, and what an access point must know about it."""

    id: int
    customer_id: int
    message_id: str
    receiver: str
    document: bytes


@dataclass(frozen=True)
class Answer:
    """What came of handing over. `final` where trying again would not help; without `access_point` it was simulated."""

    accepted: bool
    text: str | None = None
    access_point: str | None = None
    final: bool = False


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST becomes a GET without the document, whose answer would be taken for a receipt."""

    def redirect_request(self, *_given: Any, **_more: Any) -> None:  # noqa: ANN401 - the base class's signature
        return None


def carries() -> bool:
    """Whether e-invoices can be handed over: to an access point, or in a demo by simulation."""
    return settings().peppol_url is not None or settings().demo


def simulated() -> bool:
    """Whether handing over is only simulated."""
    return settings().peppol_url is None and settings().demo


def hand_over(parcel: Parcel) -> Answer:
    """Hand a document over once and return what came of it; never raises for what an access point or the network does.

    The reference travels with it and stays the same when it is tried again, so that an access point whose answer was lost knows it.
    """
    url = settings().peppol_url
    if url is None:
        return Answer(accepted=True)
    to = urlsplit(url)
    host = to.hostname or ""
    headers = {"Content-Type": "application/xml; charset=utf-8", "X-Message-ID": parcel.message_id, "X-Receiver": parcel.receiver}
    if to.username:
        given = f"{unquote(to.username)}:{unquote(to.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(given.encode()).decode()}"
    address = to._replace(netloc=to.netloc.rpartition("@")[2]).geturl()
    try:
        request = Request(address, data=parcel.document, headers=headers, method="POST")  # noqa: S310 - the settings take http(s) only
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as response:
            return Answer(accepted=True, text=_text(response.read(4 * ANSWER_LENGTH)), access_point=host)
    except HTTPError as error:
        final = error.code in _CLIENT_ERRORS and error.code not in _TRY_AGAIN_LATER
        said = _text(error.read(4 * ANSWER_LENGTH)) or error.reason
        return Answer(accepted=False, text=f"{error.code} {said}"[:ANSWER_LENGTH], access_point=host, final=final)
    except (OSError, HTTPException) as error:
        return Answer(accepted=False, text=(str(error) or type(error).__name__)[:ANSWER_LENGTH], access_point=host)


def _text(answer: bytes) -> str | None:
    """Return the beginning of an answer as one line that can be printed."""
    words = "".join(char if char.isprintable() else " " for char in answer.decode("utf-8", "replace")).split()
    return " ".join(words)[:ANSWER_LENGTH] or None
