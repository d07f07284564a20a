"""A form whose values change under its reader: what he typed stays, what he left alone follows, and he is told of both."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import db, start
from core.db import Base

MINE, THEIRS, BOTH = "typed by me", "saved by them", "agreed"


def form() -> None:
    """A form of two fields, over what a test says is stored."""
    import streamlit as st

    from core.ui import two_at_once
    from core.ui.two_at_once import Field

    stored = st.session_state.setdefault("stored", {"one": "a", "other": "b"})
    fields = {name: Field(name, stored[name], group=st.session_state.get("group", "")) for name in ("one", "other")}
    two_at_once.fill("form", st.session_state.setdefault("opening", 1), fields)
    for name in fields:
        st.text_input(name, key=name)
    two_at_once.show("form")
    two_at_once.theirs("form")
    st.button("save", key="save", on_click=two_at_once.saved, args=("form",))


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    db.use(f"sqlite:///{tmp_path / 'form.db'}")
    monkeypatch.setattr(start, "ready", lambda: None)
    Base.metadata.create_all(db.engine())
    return AppTest.from_function(form).run()


def values(screen: AppTest) -> tuple[str | None, str | None]:
    assert not screen.exception
    return screen.text_input(key="one").value, screen.text_input(key="other").value


def change(screen: AppTest, **stored: str) -> None:
    screen.session_state["stored"] = screen.session_state["stored"] | stored
    screen.run()


def told(screen: AppTest) -> str:
    return " ".join(str(one.proto) for one in (*screen.warning, *screen.get("html"), *screen.dataframe, *screen.table, *screen.markdown))


def offered(screen: AppTest) -> bool:
    return any(button.key == "form:theirs" for button in screen.button)


def test_shows_what_is_stored_and_tells_nothing_where_nobody_changed_it(screen: AppTest) -> None:
    assert (values(screen), list(screen.warning), offered(screen)) == (("a", "b"), [], False)
    screen.text_input(key="one").set_value(MINE).run()
    assert (values(screen), list(screen.warning), offered(screen)) == ((MINE, "b"), [], False)


def test_keeps_what_was_typed_and_follows_what_was_left_alone(screen: AppTest) -> None:
    screen.text_input(key="one").set_value(MINE).run()
    change(screen, one=THEIRS, other="c")
    assert values(screen) == (MINE, "c")
    assert (len(screen.warning), offered(screen)) == (1, True)
    assert THEIRS in told(screen)
    screen.run()
    assert (values(screen), offered(screen)) == ((MINE, "c"), True)


def test_keeps_fields_of_one_group_whole_as_they_were_typed_and_takes_the_others_whole(screen: AppTest) -> None:
    screen.session_state["group"] = "address"
    screen.text_input(key="one").set_value(MINE).run()
    change(screen, other=THEIRS)
    assert (values(screen), offered(screen)) == ((MINE, "b"), True)
    screen.run()
    assert values(screen) == (MINE, "b")
    screen.button(key="form:theirs").click().run()
    assert (values(screen), list(screen.warning)) == (("a", THEIRS), [])


def test_follows_a_group_that_the_reader_left_alone(screen: AppTest) -> None:
    screen.session_state["group"] = "address"
    change(screen, one=THEIRS, other="c")
    assert (values(screen), offered(screen)) == ((THEIRS, "c"), False)


def test_follows_silently_kept_fields_and_offers_nothing_to_take(screen: AppTest) -> None:
    change(screen, one=THEIRS)
    assert (values(screen), len(screen.warning), offered(screen)) == ((THEIRS, "b"), 1, False)


def test_the_same_typed_as_saved_is_no_quarrel(screen: AppTest) -> None:
    screen.text_input(key="one").set_value(BOTH).run()
    change(screen, one=BOTH)
    assert (values(screen), offered(screen)) == ((BOTH, "b"), False)


def test_takes_the_others_values_at_a_click(screen: AppTest) -> None:
    screen.text_input(key="one").set_value(MINE).run()
    change(screen, one=THEIRS)
    screen.button(key="form:theirs").click().run()
    assert (values(screen), list(screen.warning), offered(screen)) == ((THEIRS, "b"), [], False)


def test_tells_nothing_more_once_it_was_saved_or_opened_anew(screen: AppTest) -> None:
    screen.text_input(key="one").set_value(MINE).run()
    change(screen, one=THEIRS)
    screen.button(key="save").click().run()
    assert (values(screen), list(screen.warning)) == ((THEIRS, "b"), [])
    screen.text_input(key="one").set_value(MINE).run()
    change(screen, one="c")
    screen.session_state["opening"] = 2
    screen.run()
    assert (values(screen), list(screen.warning)) == (("c", "b"), [])
