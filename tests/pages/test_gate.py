"""Whatever page is named, who is not signed in gets the form. What a fresh server does is asked in tests/browser/test_gates.py."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import db, start
from core.db import Base
from tests.rules.sources import ROOT, name, python_files

PAGES = list(python_files("pages"))


@pytest.fixture(autouse=True)
def _empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db.use(f"sqlite:///{tmp_path / 'gate.db'}")
    monkeypatch.setattr(start, "ready", lambda: None)
    Base.metadata.create_all(db.engine())


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_named_to_a_signed_out_shell_shows_the_sign_in_form_only(path: Path) -> None:
    app = AppTest.from_file(str(ROOT / "core" / "shell.py"), default_timeout=60)
    app.query_params["customer"] = "10000017"
    app.switch_page(f"../pages/{path.name}").run()
    assert not app.exception
    assert {header.value for header in [*app.title, *app.header, *app.subheader]} == {"Se connecter"}
