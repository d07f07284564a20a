"""Which files come in, and which are refused for which reason (S27 to S34): the whole corpus, and what it does not hold."""

import csv
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image

from core.documents import names, refusals, store
from core.documents.check import EID_BOXES, MAX_BYTES, Accepted, Limits, check, redact
from core.documents.refusals import (
    ActiveContent,
    AttachmentInside,
    BytesAround,
    ContentMismatch,
    Damaged,
    Encrypted,
    HiddenCharacter,
    InflatesTooFar,
    MissingExtension,
    NoPage,
    Refused,
    TooBig,
    TooHeavy,
    TooManyPages,
    TooManyPixels,
    WrongExtension,
)
from core.settings import settings

CORPUS = Path(__file__).parent.parent / "corpus"
with (CORPUS / "manifest.csv").open(encoding="utf-8", newline="") as manifest:
    ROWS = [row for row in csv.DictReader(manifest) if row["expected"] != "list"]

REASONS: dict[str, type[Refused]] = {
    "%PDF- must be at byte 0": BytesAround,
    "JavaScript on open": ActiveContent,
    "active content": ActiveContent,
    "at least one page": NoPage,
    "attachment inside": AttachmentInside,
    "bidi control in name and not a PDF": HiddenCharacter,
    "bytes after the last %%EOF": BytesAround,
    "cannot be inspected": Encrypted,
    "checksum or decode error": Damaged,
    "content does not match the extension": ContentMismatch,
    "content is not JPEG": ContentMismatch,
    "control character in name": HiddenCharacter,
    "decode fails": Damaged,
    "does not parse strictly": Damaged,
    "extension not in pdf, jpg, jpeg, png": WrongExtension,
    "extension required": MissingExtension,
    "inflated size over 50 MB, in under 5 s and 200 MB": InflatesTooFar,
    "last extension decides": WrongExtension,
    "must end in under 5 s": Damaged,
    "no parsable document": Damaged,
    "over 40 Mpx but under Pillow's own error limit": TooManyPixels,
    "over 40 Mpx, refused from the header": TooManyPixels,
    "over 50 pages": TooManyPages,
    "refused from the header": TooManyPixels,
}
TIGHT = Limits(cpu_seconds=4, wall_seconds=30, memory_mb=200)
"""What a hostile file may take (S29): with more it is killed, and the refusal is TooHeavy instead of its own."""

PATIENT = Limits(wall_seconds=60)


def of(kind: str) -> list[Any]:
    return [pytest.param(row, id=row["file"]) for row in ROWS if row["expected"] == kind]


def read(row: dict[str, str]) -> bytes:
    return (CORPUS / row["file"]).read_bytes()


def corpus(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


def pdf(**root: Any) -> bytes:
    """A PDF of one page with these entries in its root."""
    made = Pdf.new()
    made.add_blank_page()
    for key, value in root.items():
        made.Root[f"/{key}"] = value
    return saved(made)


def saved(made: Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    made.save(out, **options)
    return out.getvalue()


def with_stream(data: bytes, **entries: Any) -> bytes:
    """A PDF of one page with one stream more, kept as it is."""
    made = Pdf.new()
    made.add_blank_page()
    made.Root.X = made.make_stream(data, **entries)
    return saved(made, compress_streams=False)


def object_stream(padding: int) -> bytes:
    """A PDF whose object 6 lies in an object stream, behind so many blanks."""
    parts = [
        b"1 0 obj<</Type/Catalog/Pages 2 0 R/X 6 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>> >>endobj\n",
    ]
    packed = zlib.compress(b"6 0 <<>>" + b" " * padding, 9)
    parts.append(b"4 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%b\nendstream endobj\n" % (len(packed), packed))
    body, places = b"%PDF-1.5\n", []
    for part in parts:
        places.append(len(body))
        body += part
    table = b"".join(struct.pack(">BIB", *row) for row in [(0, 0, 255), *((1, at, 0) for at in (*places, len(body))), (2, 4, 0)])
    end = b"5 0 obj<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n%b\nendstream endobj\n" % (len(table), table)
    return body + end + b"startxref\n%d\n%%%%EOF\n" % len(body)


def image(mode: str = "RGB", size: tuple[int, int] = (40, 20), kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "white").save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    made = Image.open(io.BytesIO(data))
    made.load()
    return made


class TestCorpus:
    @pytest.mark.parametrize("row", of("accept"))
    def test_accepts(self, row: dict[str, str]) -> None:
        accepted = check(row["upload_name"], read(row), PATIENT)
        assert accepted.mime == names.EXTENSIONS[row["upload_name"].rpartition(".")[2].lower()]

    @pytest.mark.parametrize("row", of("accept_clean"))
    def test_accepts_and_keeps_nothing_beside_the_pixels(self, row: dict[str, str]) -> None:
        marker = row["must_not_contain"].encode()
        assert marker in read(row)
        assert marker not in check(row["upload_name"], read(row), PATIENT).data

    @pytest.mark.parametrize("row", of("reject"))
    def test_refuses_for_its_reason_within_the_limits(self, row: dict[str, str]) -> None:
        with pytest.raises(Refused) as refusal:
            check(row["upload_name"], read(row), TIGHT)
        assert type(refusal.value) is REASONS[row["why"]]

    @pytest.mark.parametrize(
        ("file", "shown"),
        [("trav.pdf", "passwd.pdf"), ("winpath.png", "carte.png"), ("longname.jpg", f"{'n' * 116}.jpg")],
    )
    def test_shows_the_last_part_of_a_name_and_no_more_than_120_characters(self, file: str, shown: str) -> None:
        row = next(row for row in ROWS if row["file"] == file)
        assert names.parse(row["upload_name"])[0] == shown


SHOWN = {
    "../../etc/passwd.pdf": "passwd.pdf", "..\\..\\win.ini.pdf": "win.ini.pdf", "/etc/cron.d/x.pdf": "x.pdf", "C:\\x.pdf": "x.pdf",
    "\\\\srv\\share\\x.pdf": "x.pdf", "a.pdf ": "a.pdf", "e\u0301.pdf": "\u00e9.pdf", "..&#x2F;a.pdf": "..&#x2F;a.pdf",
}  # fmt: skip
REFUSED = {
    ".pdf": MissingExtension, "..pdf": MissingExtension, "...": MissingExtension, "a.pdf.": MissingExtension, "": MissingExtension,
    "a.pdf\x00.exe": HiddenCharacter, "a\r\nb.pdf": HiddenCharacter, "\u202efdp.exe": HiddenCharacter, "a.pdf:stream": WrongExtension,
    "a.pdf.exe": WrongExtension, ".htaccess": MissingExtension, "a.tar.gz": WrongExtension,
}  # fmt: skip


class TestNames:
    @pytest.mark.parametrize("name", [json.loads(line) for line in (CORPUS / "file_names.txt").read_text("utf-8").splitlines()])
    def test_never_names_a_path(self, name: str) -> None:
        if name in REFUSED:
            with pytest.raises(REFUSED[name]):
                names.parse(name)
            return
        shown, mime = names.parse(name)
        assert shown == SHOWN.get(name, name if len(name) <= 120 else shown)
        assert "/" not in shown
        assert "\\" not in shown
        assert len(shown) <= 120
        assert mime == "application/pdf"

    @pytest.mark.parametrize(
        "name", ['a"b.pdf', "a;b.pdf", "a b.pdf", "<img src=x onerror=alert(1)>.jpg", "$(id).pdf", "-rf.pdf", "CON.pdf"]
    )
    def test_serves_a_name_that_breaks_no_header(self, name: str) -> None:
        served = names.served("D1000001701", name)
        assert served.startswith("D1000001701-")
        assert not set(served) & set("\"';\r\n<>/\\ ")

    def test_serves_two_documents_of_one_name_under_two(self) -> None:
        assert names.served("D1000001701", "a.pdf") != names.served("D1000002501", "a.pdf")


class TestSize:
    def test_accepts_ten_megabytes_to_the_byte(self) -> None:
        data = corpus("ok_id_front.jpg")
        assert check("a.jpg", data + b"\0" * (MAX_BYTES - len(data)), PATIENT).mime == "image/jpeg"

    def test_refuses_a_byte_more(self) -> None:
        data = corpus("ok_id_front.jpg")
        with pytest.raises(TooBig):
            check("a.jpg", data + b"\0" * (MAX_BYTES - len(data) + 1))


class TestLimits:
    def test_ends_a_child_that_takes_too_much_memory(self) -> None:
        with pytest.raises(TooHeavy):
            check("a.png", image(size=(7300, 5400)), Limits(memory_mb=150))

    def test_ends_a_child_that_takes_too_much_processor_time(self) -> None:
        out = io.BytesIO()
        Image.effect_noise((3000, 2700), 90).save(out, "PNG")
        with pytest.raises(TooHeavy):
            check("a.png", out.getvalue(), Limits(cpu_seconds=0))

    def test_ends_a_child_that_hangs(self) -> None:
        with pytest.raises(TooHeavy):
            check("a.png", corpus("ok_id.png"), Limits(wall_seconds=0.001))

    def test_takes_a_photo_of_forty_megapixels_that_must_be_turned(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        accepted = check("a.jpg", image(size=(7300, 5470), kind="JPEG", exif=exif), PATIENT)
        assert opened(accepted.data).size == (5470, 7300)

    def test_refuses_a_side_over_twenty_thousand_pixels(self) -> None:
        assert check("a.png", image("1", (20_000, 1)), PATIENT)
        with pytest.raises(TooManyPixels):
            check("a.png", image("1", (20_001, 1)))


class TestImages:
    def test_turns_the_photo_before_its_metadata_go(self) -> None:
        before = opened(corpus("exif_gps.jpg"))
        after = opened(check("a.jpg", corpus("exif_gps.jpg"), PATIENT).data)
        assert after.size == before.size[::-1]
        assert not after.getexif()

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_keeps_what_a_png_shows(self, mode: str) -> None:
        assert opened(check("a.png", image(mode), PATIENT).data).convert("RGB").getpixel((5, 5)) == (255, 255, 255)

    def test_refuses_a_png_whose_checksum_is_wrong(self) -> None:
        data = bytearray(corpus("ok_id.png"))
        data[data.index(b"IEND") - 5] ^= 1
        with pytest.raises(Damaged):
            check("a.png", bytes(data), PATIENT)

    def test_turns_printing_colours_into_those_of_a_screen(self) -> None:
        assert opened(check("a.jpg", image("CMYK", kind="JPEG"), PATIENT).data).mode == "RGB"


class TestPdfs:
    def test_accepts_a_link_and_a_first_view(self) -> None:
        made = Pdf.new()
        page = made.add_blank_page()
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI="https://example.be"))
        page.obj.Annots = Array([link])
        made.Root.OpenAction = Array([page.obj, Name.Fit])
        assert isinstance(check("a.pdf", saved(made), PATIENT), Accepted)

    @pytest.mark.parametrize("mode", list(pikepdf.ObjectStreamMode.__members__.values()))
    def test_refuses_a_script_wherever_it_stands(self, mode: pikepdf.ObjectStreamMode) -> None:
        made = Pdf.open(io.BytesIO(pdf(X=Array([Array([Dictionary(S=Name.JavaScript, JS="app.alert(1)")])]))))
        with pytest.raises(ActiveContent):
            check("a.pdf", saved(made, object_stream_mode=mode), PATIENT)

    def test_refuses_a_script_under_a_disguised_name(self) -> None:
        data = corpus("pdf_js.pdf").replace(b"/JavaScript/JS", b"/JavaScrip#74/X")
        assert b"/JS" not in data
        with pytest.raises(ActiveContent):
            check("a.pdf", data, PATIENT)

    @pytest.mark.parametrize(
        "root",
        [
            {"OpenAction": Dictionary(S=Name.URI, URI="https://example.be")},
            {"X": Dictionary(S=Name.URI, URI="javascript:alert(1)")},
            {"X": Dictionary(S=Name.SubmitForm)},
            {"X": Dictionary(Subtype=Name.RichMedia)},
            {"AA": Dictionary()},
            {"AcroForm": Dictionary(XFA=Array([]))},
        ],
        ids=lambda root: str(next(iter(root))),
    )
    def test_refuses_what_acts_by_itself(self, root: dict[str, Any]) -> None:
        with pytest.raises(ActiveContent):
            check("a.pdf", pdf(**root), PATIENT)

    def test_refuses_content_that_lies_elsewhere(self) -> None:
        with pytest.raises(ActiveContent):
            check("a.pdf", with_stream(b"x", F="other.pdf"), PATIENT)

    def test_refuses_a_file_protected_against_change_only(self) -> None:
        made = Pdf.new()
        made.add_blank_page()
        with pytest.raises(Encrypted):
            check("a.pdf", saved(made, encryption=pikepdf.Encryption(owner="x", user="")), PATIENT)

    @pytest.mark.parametrize(
        ("data", "entries"),
        [
            (zlib.compress(bytes(60_000_000), 9), {"Filter": Name.FlateDecode}),
            (zlib.compress(zlib.compress(bytes(60_000_000), 9)), {"Filter": Array([Name.FlateDecode] * 2)}),
            (zlib.compress(bytes(60_000_000), 9), {"Filter": Array([Name.FlateDecode, Name.DCTDecode])}),
            (b"\x81\x00" * 500_000 + b"\x80", {"Filter": Name.RunLengthDecode}),
        ],
        ids=["packed", "packed twice", "packed image", "run length"],
    )
    def test_refuses_a_stream_that_unpacks_too_far(self, data: bytes, entries: dict[str, Any]) -> None:
        with pytest.raises(InflatesTooFar):
            check("a.pdf", with_stream(data, **entries), PATIENT)

    def test_adds_up_what_its_streams_unpack_to(self) -> None:
        packed = zlib.compress(bytes(30_000_000), 9)
        assert check("a.pdf", with_stream(packed, Filter=Name.FlateDecode), PATIENT)
        made = Pdf.open(io.BytesIO(with_stream(packed, Filter=Name.FlateDecode)))
        made.Root.Y = made.make_stream(zlib.compress(b"1" * 30_000_000, 9), Filter=Name.FlateDecode)
        with pytest.raises(InflatesTooFar):
            check("a.pdf", saved(made, compress_streams=False), PATIENT)

    def test_refuses_an_object_stream_that_unpacks_too_far(self) -> None:
        assert check("a.pdf", object_stream(10), PATIENT)
        with pytest.raises(InflatesTooFar):
            check("a.pdf", object_stream(60_000_000), TIGHT)

    def test_judges_an_image_inside_by_its_size(self) -> None:
        facts = {"Subtype": Name.Image, "Filter": Name.DCTDecode, "Width": 100}
        assert check("a.pdf", with_stream(corpus("ok_id_front.jpg"), Height=100, **facts), PATIENT)
        with pytest.raises(TooManyPixels):
            check("a.pdf", with_stream(corpus("ok_id_front.jpg"), Height=1_000_000, **facts), PATIENT)

    def test_refuses_a_filter_that_nobody_knows(self) -> None:
        with pytest.raises(Damaged):
            check("a.pdf", with_stream(b"x", Filter=Name("/Secret")), PATIENT)

    def test_refuses_an_archive_whose_comment_ends_as_a_pdf(self) -> None:
        with pytest.raises(BytesAround):
            check("a.pdf", corpus("poly_pdf_zip.pdf") + b"%%EOF")


class TestRefusals:
    def test_each_says_what_to_do_about_the_file(self) -> None:
        for refusal in Refused.__subclasses__():
            assert refusal.field == "file"
            assert refusal.message.count(".") >= 1
            assert getattr(refusals, refusal.__name__) is refusal


class TestRedact:
    @pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
    def test_blackens_the_box_and_nothing_else(self, kind: str, mime: str) -> None:
        after = opened(redact(image(size=(100, 80), kind=kind), mime, [(0.5, 0.25, 0.25, 0.5)])).convert("L")
        assert after.getpixel((60, 40)) == 0
        assert after.getpixel((20, 40)) == 255
        assert after.getpixel((60, 5)) == 255

    def test_measures_in_the_upright_image(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        after = opened(redact(image(size=(100, 50), kind="JPEG", exif=exif), "image/jpeg", [(0, 0, 1, 0.5)])).convert("L")
        assert after.size == (50, 100)
        assert (after.getpixel((25, 20)), after.getpixel((25, 80))) == (0, 255)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
    def test_blackens_a_png_of_any_kind(self, mode: str) -> None:
        after = opened(redact(image(mode), "image/png", [(0, 0, 0.5, 1)])).convert("RGBA")
        assert (after.getpixel((5, 5)), after.getpixel((35, 5))) == ((0, 0, 0, 255), (255, 255, 255, 255))

    @pytest.mark.parametrize("side", EID_BOXES)
    def test_has_boxes_for_each_side_of_an_eid(self, side: str) -> None:
        after = opened(redact(image(size=(856, 540), kind="JPEG"), "image/jpeg", EID_BOXES[side])).convert("L")
        assert 0.25 < after.histogram()[0] / (856 * 540) < 0.8

    def test_refuses_as_check_does(self) -> None:
        with pytest.raises(ContentMismatch):
            redact(corpus("ok_letter.pdf"), "application/pdf", [])
        with pytest.raises(ContentMismatch):
            redact(corpus("ok_id.png"), "image/jpeg", [])
        with pytest.raises(TooManyPixels):
            redact(corpus("bomb_60mp.png"), "image/png", [])


class TestStore:
    @pytest.mark.parametrize("kind", ["memory", "file"])
    def test_gives_back_what_it_took(self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "documents_url", "memory://" if kind == "memory" else f"file://{tmp_path}/papiers d'ici")
        key = store.new_key()
        store.put(key, b"a\0b")
        assert store.get(key) == b"a\0b"
        store.delete(key)
        store.delete(key)
        with pytest.raises(FileNotFoundError):
            store.get(key)

    def test_keeps_all_files_in_its_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "documents_url", f"file://{tmp_path}")
        key = store.new_key()
        store.put(key, b"x")
        assert [path.name for path in tmp_path.iterdir()] == [key]

    @pytest.mark.parametrize("key", ["../x", "a.pdf", "", "A" * 32, "0" * 31, f"{'0' * 32}\n"])
    def test_takes_no_key_but_its_own(self, key: str) -> None:
        for use in (store.get, store.delete):
            with pytest.raises(ValueError, match="new_key"):
                use(key)
