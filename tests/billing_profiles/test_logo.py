"""Logos: pictures are kept without what is not the picture, and nothing else is one."""

import base64
import struct
import zlib

import pytest

from tests.api.test_authorization import PNG
from tonnage.billing_profiles.logo import MOST_BYTES, logo, logo_of_text

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int = 2, height: int = 3, depth: int = 8, colour: int = 6, interlaced: int = 0, raw: bytes | None = None,
    before: bytes = b"",
) -> bytes:  # fmt: skip
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    rows = bytes(height * (1 + width * 4)) if raw is None else raw
    return SIGNATURE + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def test_a_picture_stays_as_it_is() -> None:
    for image in (png(), png(height=1, depth=16, raw=bytes(17)), base64.b64decode(PNG)):
        assert logo(image) == image
    assert logo_of_text(base64.b64encode(png()).decode()) == png()
    # 2 x 3 pixels of 32 bits are sent in four of the seven passes, in five rows.
    interlaced = png(interlaced=1, raw=bytes(5 + 6 * 4))
    assert logo(interlaced) == interlaced
    palette = png(depth=1, colour=3, raw=bytes(3 * 2), before=chunk(b"PLTE", bytes(6)))
    assert logo(palette) == palette


def test_what_is_not_the_picture_is_left_out() -> None:
    secret = chunk(b"tEXt", b"Comment\0Ann was here") + chunk(b"eXIf", b"52.5 N 13.4 E") + chunk(b"iCCP", b"x")
    assert logo(png(before=secret) + b"#!/bin/sh") == png()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WRONG_SUM = png()[:-1] + b"\0"


@pytest.mark.parametrize("image", [
    b"", SVG, b"GIF89a", b"\xff\xd8\xff", SIGNATURE, png()[:-5], WRONG_SUM, SIGNATURE + chunk(b"IEND"),
    png(width=0), png(height=0), png(colour=5), png(depth=3), png(interlaced=2), png(depth=8, colour=3),
    png(raw=b""), png(raw=bytes(10)), png(raw=bytes(28)), png(width=4001, height=1), png(width=4000, height=4000),
    SIGNATURE + chunk(b"IHDR", bytes(5)) + chunk(b"IEND"),
    SIGNATURE + struct.pack(">I4s", 2**31, b"IHDR") + bytes(100),
    png().replace(chunk(b"IDAT", zlib.compress(bytes(27))), chunk(b"IDAT", b"no stream")),
    # Two headers: the second one is not checked.
    png(before=chunk(b"IHDR", struct.pack(">IIBBBBB", 10**6, 10**6, 8, 6, 0, 0, 0))),
    # A megabyte of zeros for every kilobyte.
    png(raw=bytes(100_000_000)),
    SVG + bytes(MOST_BYTES), bytes(10_000_000),
])  # fmt: skip
def test_what_is_no_logo(image: bytes) -> None:
    with pytest.raises(ValueError, match="must"):
        logo(image)
    with pytest.raises(ValueError, match="must"):
        logo_of_text(base64.b64encode(image).decode())


@pytest.mark.parametrize("text", ["", "?", "data:image/png;base64," + PNG, PNG[:-1], PNG + "\n"])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        logo_of_text(text)
