"""The sign-in screen and the routes behind it, without a browser: what is refused, and what a sign-in leaves behind."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core import db, start
from core.actor import SYSTEM
from core.db import Base
from core.models.user import SignInTicket, UserSession
from core.services import sessions, users
from core.settings import Mode, settings
from core.ui import cookie
from core.ui.headers import Headers
from tests.builders import make_customer

ROOT = Path(__file__).resolve().parents[2]
WRONG = "Nom d'utilisateur ou mot de passe incorrect."


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo with one customer, on a database of its own."""
    db.use(f"sqlite:///{tmp_path / 'guichet.db'}")
    monkeypatch.setattr(start, "ready", lambda: None)
    Base.metadata.create_all(db.engine())
    with Session(db.engine()) as session, session.begin():
        make_customer(session, customer_no="10000017")
        users.create_demo_accounts(session)


def open_app(entry: str = "core/shell.py") -> AppTest:
    return AppTest.from_file(str(ROOT / entry), default_timeout=60).run()


@pytest.fixture
def screen(demo: None) -> AppTest:
    return open_app()


def submit(screen: AppTest, username: str, password: str) -> AppTest:
    screen.text_input[0].set_value(username)
    screen.text_input[1].set_value(password)
    return next(button for button in screen.button if button.label == "Se connecter").click().run()


def keys(screen: AppTest) -> set[str]:
    assert not screen.exception
    return {button.key for button in screen.button if button.key}


def rows(model: Any) -> list[Any]:
    with db.reading() as session:
        found = list(session.exec(select(model)).all())
        session.expunge_all()
        return found


class TestForm:
    def test_is_drawn_for_whoever_is_not_signed_in(self, screen: AppTest) -> None:
        assert [title.value for title in screen.title] == ["Se connecter"]
        assert [field.label for field in screen.text_input] == ["Nom d'utilisateur", "Mot de passe"]
        assert {f"sign_in:demo:{name}" for name in (*users.DEMO_STAFF, "p01")} <= keys(screen)
        assert "session:sign_out" not in keys(screen)

    def test_lets_the_right_password_in(self, screen: AppTest) -> None:
        assert "session:sign_out" in keys(submit(screen, " Agent", users.DEMO_PASSWORD))
        assert len(rows(UserSession)) == 1

    @pytest.mark.parametrize(
        ("username", "password"), [("agent", "wrong"), ("nobody", users.DEMO_PASSWORD), ("agent", users.DEMO_PASSWORD + " "), ("", "")]
    )
    def test_answers_all_wrong_tries_alike(self, screen: AppTest, username: str, password: str) -> None:
        submit(screen, username, password)
        assert "session:sign_out" not in keys(screen)
        assert [error.value for error in screen.error] == [WRONG]
        assert screen.text_input[0].value == username
        assert rows(UserSession) == []

    @pytest.mark.parametrize("username", ["agent", "nobody"])
    def test_rests_after_five_wrong_tries_and_says_until_when(self, screen: AppTest, username: str) -> None:
        for _ in range(5):
            submit(screen, username, "wrong")
        submit(screen, username, users.DEMO_PASSWORD)
        assert "session:sign_out" not in keys(screen)
        assert screen.error[0].value.startswith("Trop d'essais. Réessayez à ")
        again = submit(open_app(), username, users.DEMO_PASSWORD)
        assert again.error[0].value.startswith("Trop d'essais."), "another session starts no new count"

    def test_lets_nobody_in_when_the_database_is_gone(self, screen: AppTest, tmp_path: Path) -> None:
        db.use(f"sqlite:///{tmp_path / 'empty.db'}")
        submit(screen, "agent", users.DEMO_PASSWORD)
        assert screen.exception
        assert not any(button.key == "session:sign_out" for button in screen.button)


class TestDemo:
    def test_lets_a_visitor_in_by_a_click(self, screen: AppTest) -> None:
        assert "session:sign_out" in keys(screen.button(key="sign_in:demo:viewer").click().run())

    def test_is_gone_in_live_mode(self, demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        screen = open_app()
        assert not any(key.startswith("sign_in:demo:") for key in keys(screen))
        assert "cookie" in screen.warning[0].value

    def test_keeps_no_sign_in_in_a_tab_in_live_mode(self, screen: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
        screen.button(key="sign_in:demo:viewer").click().run()
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        assert "session:sign_out" not in keys(screen.run())


class TestLanguage:
    def test_speaks_the_chosen_one_and_keeps_it_for_the_account(self, screen: AppTest) -> None:
        screen.button(key="sign_in:language:de").click().run()
        assert [title.value for title in screen.title] == ["Anmelden"]
        screen.button(key="sign_in:demo:agent").click().run()
        other = open_app().button(key="sign_in:demo:agent").click().run()
        assert any(button.label == "Abmelden" for button in other.button)


class TestSignedIn:
    def test_is_out_at_the_next_run_once_the_session_is_revoked(self, screen: AppTest) -> None:
        screen.button(key="sign_in:demo:agent").click().run()
        with db.transaction() as session:
            row = session.exec(select(UserSession)).one()
            sessions.end_all(session, SYSTEM, user_id=row.user_id, customer_id=None)
        assert "session:sign_out" not in keys(screen.run())

    def test_signs_out_on_the_server(self, screen: AppTest) -> None:
        screen.button(key="sign_in:demo:agent").click().run()
        screen.button(key="session:sign_out").click().run()
        assert "session:sign_out" not in keys(screen)
        assert rows(UserSession)[0].revoked_at is not None

    def test_shows_nothing_to_other_cookies_and_leaves_the_owner_alone(self, screen: AppTest) -> None:
        screen.button(key="sign_in:demo:agent").click().run()
        mine = screen.session_state["_owner"]
        screen.session_state["_owner"] = "made under other cookies"
        screen.run()
        assert [error.value for error in screen.error] == ["Cet onglet appartient à une autre connexion. Rechargez la page."]
        assert not screen.button
        screen.session_state["_owner"] = mine
        assert "session:sign_out" in keys(screen.run())

    def test_works_where_app_py_is_run_as_a_plain_script(self, demo: None) -> None:
        assert "session:sign_out" in keys(open_app("app.py").button(key="sign_in:demo:agent").click().run())


class TestReset:
    def test_says_when_a_link_is_dead(self, demo: None) -> None:
        screen = AppTest.from_file(str(ROOT / "core" / "shell.py"), default_timeout=60)
        screen.query_params["reset"] = "no such link"
        screen.run()
        assert [error.value for error in screen.error] == ["Ce lien ne fonctionne plus. Demandez-en un nouveau."]


@pytest.fixture
def web(demo: None) -> TestClient:
    app = Starlette(routes=cookie.ROUTES, middleware=[Middleware(Headers)])
    return TestClient(app, base_url="http://guichet.example", follow_redirects=False)


def ticket(browser: str, account: str = "agent") -> str:
    with db.transaction() as session:
        return sessions.issue_ticket(session, users.admit_demo(session, username=account, device="", browser=browser), browser=browser)


class TestRoutes:
    def test_sets_a_cookie_that_no_script_and_no_other_site_can_use(self, web: TestClient) -> None:
        web.cookies[cookie.BROWSER] = "mine"
        answer = web.get("/auth/in", params={"ticket": ticket("mine"), "next": "/bills?customer=10000017&bill=2611000017"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/bills?customer=10000017&bill=2611000017")
        line = answer.headers["set-cookie"].lower()
        assert all(flag in line for flag in ("guichet_session=", "httponly", "samesite=strict", "path=/"))
        assert "secure" not in line
        assert answer.headers["cache-control"] == "no-store"

    def test_marks_the_cookie_secure_behind_tls(self, web: TestClient) -> None:
        web.cookies[cookie.BROWSER] = "mine"
        answer = web.get("/auth/in", params={"ticket": ticket("mine")}, headers={"X-Forwarded-Proto": "https"})
        assert "; Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")

    def test_refuses_a_ticket_a_second_time_and_in_another_browser(self, web: TestClient) -> None:
        good = ticket("mine")
        web.cookies[cookie.BROWSER] = "another"
        assert "set-cookie" not in web.get("/auth/in", params={"ticket": good}).headers
        web.cookies[cookie.BROWSER] = "mine"
        assert "set-cookie" in web.get("/auth/in", params={"ticket": good}).headers
        assert "set-cookie" not in web.get("/auth/in", params={"ticket": good}).headers
        assert rows(SignInTicket) == []

    @pytest.mark.parametrize(
        "path",
        [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/\tx",
            "/a\r\nSet-Cookie: b=c",
            "",
            "x",
        ],
    )
    def test_leads_to_our_own_site_alone(self, web: TestClient, path: str) -> None:
        answer = web.get("/auth/in", params={"ticket": "x", "next": path})
        assert answer.headers["location"] == "/"
        assert "set-cookie" not in answer.headers

    def test_drops_the_cookie_of_an_ended_session_and_not_of_a_living_one(self, web: TestClient) -> None:
        with db.transaction() as session:
            token = users.admit_demo(session, username="agent", device="", browser="")
        web.cookies[cookie.SESSION] = token
        assert "set-cookie" not in web.get("/auth/out").headers
        with db.transaction() as session:
            found = sessions.find(session, token)
            assert found is not None
            sessions.revoke(session, found.actor, customer_id=None, session_id=found.session_id)
        assert 'guichet_session=""' in web.get("/auth/out").headers["set-cookie"]

    def test_names_a_browser_once_on_a_page_and_on_nothing_else(self, web: TestClient) -> None:
        page = {"accept": "text/html,*/*"}
        assert "set-cookie" not in web.get("/auth/out", headers={"accept": "*/*"}).headers
        line = web.get("/auth/out", headers=page).headers["set-cookie"]
        assert line.startswith("guichet_browser=")
        assert all(flag in line for flag in ("HttpOnly", "SameSite=lax", "Path=/"))
        assert "set-cookie" not in web.get("/auth/out", headers=page).headers


class TestHeaders:
    def test_are_on_every_answer(self, web: TestClient) -> None:
        for path in ("/auth/out", "/no/such/page"):
            headers = web.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "SAMEORIGIN"
            assert headers["referrer-policy"] == "same-origin"
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'self'; ")
            assert "connect-src 'self' ws://guichet.example wss://guichet.example;" in policy
            assert "frame-ancestors 'self'" in policy

    def test_let_no_frame_in_live_mode(self, web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        headers = web.get("/auth/out").headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].endswith("frame-ancestors 'none'")

    def test_take_no_policy_from_the_host_header(self, web: TestClient) -> None:
        policy = web.get("/auth/out", headers={"host": "x; script-src *"}).headers["content-security-policy"]
        assert "script-src *" not in policy
        assert "connect-src 'self';" in policy

    def test_let_no_inline_script_run_but_streamlits_own(self, web: TestClient) -> None:
        policy = web.get("/auth/out").headers["content-security-policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "'unsafe-inline'" not in scripts
        assert "'sha256-" in scripts

    def test_keep_media_out_of_caches(self, web: TestClient) -> None:
        assert web.get("/media/x.pdf").headers["cache-control"] == "no-store"
