"""The fonts of documents: files of packages, none of the system, so that every machine makes the same document.

PDF/A refuses a document in which a character has no glyph. So what a text needs is looked up before it is set: the
names of companies and customers can be in any script.
"""

import re
import struct
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path

from typst import Fonts

_FAMILIES = {
    "Noto Sans": "fontpkg_noto_sans/files/NotoSans[wdth,wght].ttf",
    "Noto Sans Arabic": "fontpkg_noto_sans_arabic/files/NotoSansArabic[wdth,wght].ttf",
    "Heebo": "fontpkg_heebo/files/Heebo[wght].ttf",
    "Noto Sans Devanagari": "fontpkg_noto_sans_devanagari/files/NotoSansDevanagari[wdth,wght].ttf",
    "Noto Sans Thai": "fontpkg_noto_sans_thai/files/NotoSansThai[wdth,wght].ttf",
    "Noto Sans CJK JP": "noto_cjk_sans_jp_regular/NotoSansCJKjp-Regular.otf",
}
FAMILIES = list(_FAMILIES)
"""In the order in which a glyph is looked for."""

MISSING = "\N{WHITE SQUARE}"
"""What stands for a character that no font has."""

_LONG_WORD = re.compile(r"\S{25,}")
_PART = re.compile(r"\S{12}(?=\S{3})")

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT = frozenset({"\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"})
_DOTTED_CIRCLE = "\N{DOTTED CIRCLE}"


@lru_cache
def fonts() -> Fonts:
    """As typst takes them."""
    folders = {str(_path(family).parent) for family in FAMILIES}
    return Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=sorted(folders))


def legible(text: str) -> str:
    """The text with only what the fonts can show, and with places to break long words at; else it is not altered."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(_shown(cluster) for cluster in _clusters(unicodedata.normalize("NFC", text)))
    return _LONG_WORD.sub(_with_breaks, text)


def _with_breaks(word: re.Match[str]) -> str:
    return _PART.sub("\\g<0>\N{ZERO WIDTH SPACE}", word[0])


def _clusters(text: str) -> Iterator[str]:
    """Each character with the marks on it, which must come from its own font."""
    cluster = ""
    for character in text:
        category = unicodedata.category(character)
        if category in _INVISIBLE and character not in _KEPT:
            continue
        if cluster and not category.startswith("M"):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _shown(cluster: str) -> str:
    base, marks = cluster[0], cluster[1:]
    if base in _KEPT:
        return base
    if unicodedata.category(base).startswith("M"):  # it stands alone, and is shown on a circle or not at all
        base, marks = _DOTTED_CIRCLE, cluster
    for family in FAMILIES:
        if _has_all(family, base + marks):
            return cluster
    return base if any(_has_all(family, base) for family in FAMILIES) and base != _DOTTED_CIRCLE else MISSING


def _has_all(family: str, text: str) -> bool:
    characters = _characters(family)
    return all(ord(character) in characters for character in text)


def _path(family: str) -> Path:
    package, _, path = _FAMILIES[family].partition("/")
    return Path(str(resources.files(package))) / path


@lru_cache
def _characters(family: str) -> frozenset[int]:
    """What a font has glyphs for: its table `cmap` for Unicode, of which fonts have the formats 4 and 12."""
    font = _path(family).read_bytes()
    (tables,) = struct.unpack_from(">H", font, 4)
    found = {tag: start for tag, _, start, _ in struct.iter_unpack(">4sIII", font[12 : 12 + 16 * tables])}
    start = found[b"cmap"]
    (count,) = struct.unpack_from(">H", font, start + 2)
    places = [at for _, _, at in struct.iter_unpack(">HHI", font[start + 4 : start + 4 + 8 * count])]
    by_format = {struct.unpack_from(">H", font, start + at)[0]: start + at for at in places}
    return frozenset(_format_12(font, by_format[12]) if 12 in by_format else _format_4(font, by_format[4]))


def _format_12(font: bytes, start: int) -> Iterator[int]:
    (groups,) = struct.unpack_from(">I", font, start + 12)
    for first, last, glyph in struct.iter_unpack(">III", font[start + 16 : start + 16 + 12 * groups]):
        yield from range(first if glyph else first + 1, last + 1)


def _format_4(font: bytes, start: int) -> Iterator[int]:
    (doubled,) = struct.unpack_from(">H", font, start + 6)
    count = doubled // 2

    def column(number: int, kind: str = "H") -> tuple[int, ...]:
        skipped = 2 if number else 0  # a padding follows the first one
        return struct.unpack_from(f">{count}{kind}", font, start + 14 + doubled * number + skipped)

    offsets_at = start + 16 + 3 * doubled
    for number, (last, first, delta, offset) in enumerate(zip(*map(column, range(4)), strict=True)):
        for character in range(first, last + 1):
            glyph = character
            if offset:
                (glyph,) = struct.unpack_from(">H", font, offsets_at + 2 * number + offset + 2 * (character - first))
            if (glyph + delta) % 65536 and glyph:
                yield character
