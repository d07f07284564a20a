"""Any name can be printed, seen and copied (S42)."""

import json
import unicodedata
from pathlib import Path

import pytest

from core.pdf.bill import render_bill
from core.pdf.paper import Paper
from tests.pdf import reading, samples

LONGEST = 201
"""A given name, a space and a family name of the longest that are accepted."""

CORPUS = Path(__file__).parent.parent / "corpus" / "nasty_strings.txt"
NASTY = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines() if line]
PRINTABLE = [
    text for text in NASTY if text.strip() and len(text) <= LONGEST and not any(unicodedata.category(char)[0] == "C" for char in text)
]
SCRIPTS = {
    "arabic": "محمد علي الحدّاد",
    "hebrew": "דוד כהן",
    "greek": "Αλέξανδρος Παπαδόπουλος",
    "cyrillic": "Владимир Ковальчук",
    "polish": "Łukasz Żółć",
    "vietnamese": "Nguyễn Văn Ánh",
    "armenian": "Արամ Խաչատրյան",
    "georgian": "გიორგი ბერიძე",
    "thai": "สมชาย ใจดี",
    "emoji": "😀 Émile",
    "both ways": "Ali محمد",
    "chinese": "王小明",
    "family": "👨‍👩‍👧",
}


def printed(name: str) -> str:
    customer = samples.party(name, "Rue de Fer", "12", "5000", "Namur")
    return reading.text(render_bill(samples.bill(customer=customer)))


class TestNames:
    @pytest.mark.parametrize("name", SCRIPTS.values(), ids=SCRIPTS)
    def test_prints_every_script_in_the_order_it_is_read(self, name: str) -> None:
        assert reading.squeezed(name) in reading.squeezed(printed(name))

    @pytest.mark.parametrize("name", PRINTABLE)
    def test_prints_every_printable_text_of_the_corpus(self, name: str) -> None:
        assert reading.squeezed(unicodedata.normalize("NFC", name)) in reading.squeezed(printed(name))

    def test_survives_all_of_the_corpus(self) -> None:
        for name in NASTY:
            assert "10000017" in printed(name)

    def test_survives_half_a_character(self) -> None:
        assert "a\N{REPLACEMENT CHARACTER}b" in printed("a\ud83db")

    def test_is_not_rearranged_by_direction_marks(self) -> None:
        assert "evil" in printed("\u202eevil\u202c")

    def test_draws_a_box_for_what_no_font_has(self) -> None:
        dark = [_dark(_sheet(name)) for name in ("", "王", "王王")]
        assert 0 == dark[0] < dark[1] < dark[2]

    def test_joins_arabic_letters(self) -> None:
        pieces, _width = _sheet("").letters.set("ممم", bold=False)
        assert len({piece.codes for piece in pieces}) == 3

    def test_holds_the_spaces_and_the_sign_of_amounts(self) -> None:
        assert (
            "1\N{NARROW NO-BREAK SPACE}234,56\N{NO-BREAK SPACE}€"
            in reading.reader(_sheet("1\u202f234,56\xa0€").finish([], "")).pages[0].extract_text()
        )


class TestWrap:
    def test_cuts_between_words_and_within_a_word_that_is_too_long(self) -> None:
        paper = _sheet("")
        lines = paper.wrap("Rue de la Montagne " + "x" * 80, 9, 40)
        assert lines[0] == "Rue de la Montagne"
        assert "".join(lines[1:]) == "x" * 80
        assert all(paper.width(line, 9) <= 40 for line in lines)

    def test_ends_what_is_too_long_in_an_ellipsis(self) -> None:
        lines = _sheet("").wrap("x" * 10_000, 9, 40, most=3)
        assert len(lines) == 3
        assert lines[-1].endswith("x…")

    def test_has_one_width_for_all_figures(self) -> None:
        paper = _sheet("")
        for bold in (False, True):
            assert len({paper.width(figure, 9, bold=bold) for figure in "0123456789"}) == 1


def _sheet(text: str) -> Paper:
    paper = Paper(title="", author="", language="fr", created_at=samples.ISSUED, token=samples.TOKEN)
    if text:
        paper.put(30, 60, text, 40)
    return paper


def _dark(paper: Paper) -> int:
    return int(sum(reading.picture(bytes(paper.output())).convert("L").histogram()[:128]))
