"""A seller's logo: a PNG image, checked by its content and stored without what is not the picture.

No SVG: it can refer to files and addresses, and contain programs. A PNG has chunks, each with a check sum; only those
of the picture itself are kept, so that no comment, place or date of a photograph gets into documents.
"""

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator

from tonnage.errors import Sentence

MOST_BYTES = 200_000
_MOST_PIXELS = 4_000_000
_MOST_SIDE = 4000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of an interlaced image (Adam7): first column and row, and the steps."""

NO_PNG = Sentence("must be a PNG image; this file is none, or is damaged")


def logo_of_text(text: str) -> bytes:
    """An image from base64. Raises ValueError."""
    if len(text) > MOST_BYTES * 4 // 3 + 4:
        raise ValueError(_too_large())
    try:
        return logo(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise ValueError(Sentence("must be a PNG image in base64")) from None


def logo(image: bytes) -> bytes:
    """The same picture with nothing but the picture. Raises ValueError."""
    if len(image) > MOST_BYTES:
        raise ValueError(_too_large())
    if not image.startswith(_SIGNATURE):
        raise ValueError(NO_PNG)
    chunks = [chunk for chunk in _chunks(image) if chunk[0] in _KEPT]
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or kinds.count(b"IHDR") + kinds.count(b"IEND") != 2:
        raise ValueError(NO_PNG)
    _require_pixels(chunks[0][1], kinds, b"".join(data for kind, data in chunks if kind == b"IDAT"))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _too_large() -> Sentence:
    return Sentence("must have at most {most} KB", most=str(MOST_BYTES // 1000))


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents, up to the end of the image. Raises ValueError."""
    at = len(_SIGNATURE)
    while at + 12 <= len(image):
        length, kind = struct.unpack(">I4s", image[at : at + 8])
        end = at + 8 + length
        data = image[at + 8 : end]
        if end + 4 > len(image) or struct.unpack(">I", image[end : end + 4])[0] != zlib.crc32(kind + data):
            raise ValueError(NO_PNG)
        yield kind, data
        if kind == b"IEND":
            return
        at = end + 4
    raise ValueError(NO_PNG)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def _require_pixels(header: bytes, kinds: list[bytes], packed: bytes) -> None:
    """Raises ValueError unless the header is one of the standard, and as many pixels follow as it says. They are
    unpacked up to that number and no further: a few bytes can stand for gigabytes.
    """
    if len(header) != 13:
        raise ValueError(NO_PNG)
    width, height, depth, colour, compression, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if not 0 < width <= _MOST_SIDE or not 0 < height <= _MOST_SIDE or width * height > _MOST_PIXELS:
        raise ValueError(
            Sentence("must have at most {side} pixels in width and height, and {most} in all", side=_MOST_SIDE,
                     most=_MOST_PIXELS)
        )  # fmt: skip
    if depth not in _DEPTHS.get(colour, ()) or (compression, filtering) != (0, 0) or interlaced > 1:
        raise ValueError(NO_PNG)
    if colour == 3 and b"PLTE" not in kinds:
        raise ValueError(NO_PNG)
    size = _raw_size(width, height, depth * _CHANNELS[colour], interlaced=bool(interlaced))
    unpacking = zlib.decompressobj()
    try:
        left = size
        while left > 0 and (part := unpacking.decompress(packed, min(left, 1 << 16))):
            left -= len(part)
            packed = unpacking.unconsumed_tail
        # The end of the stream may need one more step; more pixels than there should be are no image.
        left -= len(unpacking.decompress(packed, 1))
    except zlib.error:
        raise ValueError(NO_PNG) from None
    if left or not unpacking.eof:
        raise ValueError(NO_PNG)


def _raw_size(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Bytes of all rows, each after the byte that names its filter."""
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    size = 0
    for column, row, across, down in _PASSES:
        columns, rows = -(-(width - column) // across), -(-(height - row) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    return size
