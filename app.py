"""Where the server starts: the app with its routes and headers. Run as a plain script, it runs the shell itself."""

import logging
import runpy
from pathlib import Path

import streamlit as st
from sqlalchemy import text
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import start
from core.db import reading
from core.ui.cookie import ROUTES
from core.ui.headers import Headers

log = logging.getLogger("guichet")

SHELL = Path(__file__).resolve().parent / "core" / "shell.py"


def ready(_request: Request) -> JSONResponse:
    """Say whether the database is there and on the newest schema: what a load balancer asks before it sends anyone here."""
    try:
        start.once()
        with reading() as session:
            session.execute(text("SELECT 1"))
    except Exception:
        log.exception("not ready")
        return JSONResponse({"ready": False}, status_code=503)
    return JSONResponse({"ready": True})


if get_script_run_ctx(suppress_warning=True) is None:
    app = st.App(SHELL, routes=[*ROUTES, Route("/api/ready", ready)], middleware=[Middleware(Headers)])
else:
    runpy.run_path(str(SHELL), run_name="__main__")
