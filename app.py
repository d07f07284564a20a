"""Where the server starts: the app with its routes and headers. Run as a plain script, it runs the shell itself."""

import runpy
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.cookie import ROUTES
from core.ui.headers import Headers

SHELL = Path(__file__).resolve().parent / "core" / "shell.py"

if get_script_run_ctx(suppress_warning=True) is None:
    app = st.App(SHELL, routes=ROUTES, middleware=[Middleware(Headers)])
else:
    runpy.run_path(str(SHELL), run_name="__main__")
