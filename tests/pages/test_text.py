"""Customers' text inside our own markdown (S40)."""

import pytest

from core.ui.text import md


class TestMd:
    @pytest.mark.parametrize(
        ("text", "inert"),
        [
            ("**g** _i_ `c`", r"\*\*g\*\* \_i\_ \`c\`"),
            ("![x](y)", r"\!\[x\]\(y\)"),
            (":red[x] $y$", r"\:red\[x\] \$y\$"),
            ("<b> & c", "&#60;b&#62; &#38; c"),
            ("# T", r"\# T"),
            ("a\n\n    code\n1) x", r"a code 1\) x"),
            ("x\r\n===\u2028y", "x === y"),
            ("1\xa0240,00\u202f€", "1\xa0240,00\u202f€"),
        ],
    )
    def test_leaves_no_mark_up(self, text: str, inert: str) -> None:
        assert md(text) == inert

    @pytest.mark.parametrize("text", [":material/delete:", ":Streamlit:"])
    def test_keeps_an_icon_from_being_drawn(self, text: str) -> None:
        """Streamlit draws icons once markdown took the backslashes away: something unseen stands in between."""
        assert md(text).replace("\\", "").startswith(":\u2060")

    @pytest.mark.parametrize("text", ["http://127.0.0.1:9/", "HTTPS://x.be", "www.x.be", "a@example.be"])
    def test_keeps_an_address_from_becoming_a_link(self, text: str) -> None:
        """The parser makes a link of `://`, `www.` and `@` in one piece: something unseen stands in between."""
        assert not any(sign in md(text).replace("\\", "") for sign in ("://", "www.", "@e"))
        assert md(text).replace("\\", "").replace("\u2060", "") == text
