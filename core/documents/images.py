"""Images, drawn anew: only the pixels of what came in are kept. Runs in the child process."""

import io

from PIL import Image, ImageOps

from core.documents.refusals import Damaged, TooManyPixels

MAX_PIXELS = 40_000_000
MAX_SIDE = 20_000
JPEG_QUALITY = 85
PNG_LEVEL = 3
"""Higher levels take three times as long and save a few per cent."""

_PLAIN_JPEG = frozenset({"L", "RGB"})

Boxes = list[tuple[float, float, float, float]]


def clean(data: bytes, *, kind: str, boxes: Boxes) -> bytes:
    """Return an image (`kind` is JPEG or PNG) turned upright and re-encoded, without metadata or trailing bytes (S29, S30).

    The boxes (left, top, width, height, as shares of the upright image) are filled with black. Raises TooManyPixels from the
    header alone, and Damaged.
    """
    Image.MAX_IMAGE_PIXELS = None  # The limit below is lower, and refuses instead of warning.
    try:
        image = _open(data, kind)
        if kind == "PNG":
            image.verify()  # Pillow does not compare the checksums while it decodes.
            image = _open(data, kind)
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise Damaged from error
    ImageOps.exif_transpose(image, in_place=True)
    upright = _plain(image, kind, opaque=bool(boxes))
    for left, top, width, height in boxes:
        upright.paste("black", _inside(upright.size, left, top, width, height))
    out = io.BytesIO()
    upright.save(out, kind, quality=JPEG_QUALITY, compress_level=PNG_LEVEL)
    return out.getvalue()


def _open(data: bytes, kind: str) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[kind])
    check_size(*image.size)
    return image


def check_size(width: int, height: int) -> None:
    """Refuse an image that would need too much memory once decoded."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooManyPixels(limit_mpx=MAX_PIXELS // 1_000_000, limit_side=MAX_SIDE)


def _plain(image: Image.Image, kind: str, *, opaque: bool) -> Image.Image:
    """Return the image with nothing beside its pixels, in a mode that its format and the boxes can take."""
    clear = image.info.get("transparency")
    image.info.clear()
    if kind == "JPEG":
        return image if image.mode in _PLAIN_JPEG else image.convert("RGB")
    if clear is not None:
        image.info["transparency"] = clear
        image = image.convert("RGBA")
        image.info.clear()
    return image.convert("RGB") if opaque and image.mode == "P" else image


def _inside(size: tuple[int, int], left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
    """Turn shares into pixels, outwards, within the image."""
    across, down = size
    return (
        max(0, int(left * across)),
        max(0, int(top * down)),
        min(across, int((left + width) * across) + 1),
        min(down, int((top + height) * down) + 1),
    )
