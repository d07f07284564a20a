"""PDF files, read strictly: every object in them, whether a page uses it or not. Runs in the child process."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, settings

from core.documents.images import check_size
from core.documents.refusals import ActiveContent, AttachmentInside, Damaged, Encrypted, InflatesTooFar, NoPage, TooManyPages

MAX_PAGES = 50
MAX_INFLATED_MB = 50
_MAX_INFLATED = MAX_INFLATED_MB * 1_000_000

_ACTIVE_KEYS = frozenset({"/AA", "/JS", "/JavaScript", "/RichMediaContent", "/RichMediaSettings", "/XFA"})
_ACTIONS = frozenset({
    "/GoTo3DView", "/GoToE", "/GoToR", "/ImportData", "/JavaScript", "/Launch", "/Movie", "/Rendition", "/ResetForm", "/RichMediaExecute",
    "/Sound", "/SubmitForm",
})  # fmt: skip
_ACTIVE_SUBTYPES = frozenset({"/3D", "/Movie", "/RichMedia", "/Screen", "/Sound"})
_FILE_KEYS = frozenset({"/AF", "/EF", "/EmbeddedFiles"})
_LINKS = (b"http:", b"https:", b"mailto:", b"tel:")
_GENERAL_FILTERS = frozenset(
    {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/ASCII85Decode", "/A85", "/ASCIIHexDecode", "/AHx", "/RunLengthDecode", "/RL"}
)
_IMAGE_FILTERS = frozenset({"/DCTDecode", "/DCT", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode", "/JPXDecode"})
_HARMLESS_WARNING = "Resources is missing"


def clean(data: bytes) -> bytes:
    """Return a PDF as it came, once nothing in it is a reason to refuse it (S29, S34).

    Raises Encrypted, Damaged, NoPage, TooManyPages, ActiveContent, AttachmentInside, InflatesTooFar or TooManyPixels.
    """
    settings.set_qpdf_limits(
        flate_max_memory=_MAX_INFLATED, png_max_memory=_MAX_INFLATED, run_length_max_memory=_MAX_INFLATED, tiff_max_memory=_MAX_INFLATED
    )
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as pdf:
            _check(pdf)
    except pikepdf.PasswordError as error:
        raise Encrypted from error
    except (pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.QpdfRuntimeError) as error:
        if "bad_alloc" in str(error):
            raise MemoryError from error
        raise (_too_far() if "memory limit" in str(error) else Damaged()) from error
    return data


def _check(pdf: Pdf) -> None:
    if pdf.is_encrypted:
        raise Encrypted
    pages = len(pdf.pages)
    if not pages:
        raise NoPage
    if pages > MAX_PAGES:
        raise TooManyPages(limit=MAX_PAGES)
    inflated = 0
    for thing in _everything(pdf):
        _check_active(thing)
        if isinstance(thing, Stream):
            inflated += _inflated(pdf, thing)
            if inflated > _MAX_INFLATED:
                raise _too_far()
    if any(_HARMLESS_WARNING not in str(warning) for warning in pdf.get_warnings()):
        raise Damaged


def _everything(pdf: Pdf) -> Iterator[Any]:
    """Walk through each dictionary and stream of the file, those within others and within object streams too."""
    waiting: list[Any] = [pdf.trailer, *pdf.objects]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, (Dictionary, Stream)):
            yield thing
            inner = thing.stream_dict if isinstance(thing, Stream) else thing
            waiting += [value for value in inner.as_dict().values() if _is_inside(value)]
        elif isinstance(thing, Array):
            waiting += [value for value in thing.as_list() if _is_inside(value)]


def _is_inside(value: Any) -> bool:  # noqa: ANN401 - whatever a PDF may hold
    """Whether a value stands within its parent: what is only referred to is walked through by itself."""
    return isinstance(value, (Dictionary, Array)) and not value.is_indirect


def _check_active(thing: Any) -> None:  # noqa: ANN401 - a dictionary or a stream
    keys = set(thing.keys())
    if keys & _FILE_KEYS or thing.get("/Type") == Name.EmbeddedFile or thing.get("/Subtype") == Name.FileAttachment:
        raise AttachmentInside
    if keys & _ACTIVE_KEYS or str(thing.get("/S")) in _ACTIONS or str(thing.get("/Subtype")) in _ACTIVE_SUBTYPES:
        raise ActiveContent
    opening = thing.get("/OpenAction")
    if isinstance(opening, Dictionary) and opening.get("/S") != Name.GoTo:
        raise ActiveContent
    link = thing.get("/URI")
    if isinstance(link, pikepdf.String) and not bytes(link).strip().lower().startswith(_LINKS):
        raise ActiveContent
    if isinstance(thing, Stream) and "/F" in keys:
        raise ActiveContent  # Its content lies elsewhere.


def _inflated(pdf: Pdf, stream: Stream) -> int:
    """Return how many bytes a stream holds once unpacked. What only an image decoder unpacks is judged by its size in pixels."""
    filters = [str(name) for name in _listed(stream.get("/Filter"))]
    if set(filters) - _GENERAL_FILTERS - _IMAGE_FILTERS:
        raise Damaged
    if stream.get("/Subtype") == Name.Image:
        check_size(int(stream.get("/Width", 0)), int(stream.get("/Height", 0)))
    packed = [name for name in filters if name in _GENERAL_FILTERS]
    if len(packed) < len(filters):
        if filters[: len(packed)] != packed:
            raise Damaged  # An image decoder can only come last.
        parms = _listed(stream.get("/DecodeParms"))[: len(packed)]
        stream = pdf.make_stream(stream.read_raw_bytes(), Filter=Array([Name(name) for name in packed]), DecodeParms=Array(parms))
    return len(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one name, a list of names, or nothing
    if value is None:
        return []
    return list(value.as_list()) if isinstance(value, Array) else [value]


def _too_far() -> InflatesTooFar:
    return InflatesTooFar(limit_mb=MAX_INFLATED_MB)
