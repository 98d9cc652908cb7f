"""Documents as their readers get them: what the PDF says, in which form, and what hostile data cannot do in it."""

import asyncio
import re
import struct
import unicodedata
import zlib
from base64 import b64encode
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.document_files.papers import BUYER, SELLER, draft, extra, line, paper
from tonnage.documents.actions import render, rendered
from tonnage.documents.fonts import FAMILIES, MISSING, legible

_LINES = (
    line(1, "3.45", "Zephyr Cloud"),
    line(2, "1234.56", "Zephyr Cloud", product="reserved", unitPrice="100"),
    line(3, "18.00", "Backup", product="egress", unitPrice="1.2"),
    extra(4, "discount", "-1.50"),
    extra(5, "adjustment", "-0.95", reason="Goodwill for the outage"),
)


def text_of(pdf: bytes) -> str:
    """As a reader copies it, with plain spaces."""
    pages = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    text = "\n".join(pages).replace("\u200b", "")
    return re.sub(r"[ \u00a0\u202f]+", " ", unicodedata.normalize("NFC", text))


def test_all_amounts_are_on_the_paper_and_add_up() -> None:
    made = paper(*_LINES)
    text = text_of(rendered(made))
    table, totals = text.split("Net €")
    amounts = [Decimal(one.replace(",", "").replace("€", "")) for one in re.findall(r"-?€[\d,]+\.\d\d(?=\n)", table)]
    assert amounts == [Decimal(one["amount"]) for one in _LINES]
    net, tax, gross = (Decimal(one) for one in (made["net"], made["taxes"][0]["amount"], made["gross"]))
    assert sum(amounts) == net
    assert net + tax == gross
    assert totals.startswith(f"{net:,}\nVAT 19% (S) on €{net:,} €{tax:,}\nTotal €{gross:,}\n")
    for said in ("€0.0069 / GB-month", "(€6.90 / TB)", "€0.012 / GB\n", "Goodwill for the outage", "Reserved capacity"):
        assert said in text


def test_an_invoice_has_what_the_law_asks_for() -> None:
    text = text_of(rendered(paper(*_LINES, footer="Register: HRB 12345\nManager: A. Muster")))
    for said in (
        *("Invoice", "INV-2026-00012", "3 Dec 2026", "17 Dec 2026", "1 Nov 2026 – 30 Nov 2026", "PO-4711"),
        *(SELLER["legalName"], SELLER["addressLine1"], "20457 Hamburg", "Germany", SELLER["vatId"]),
        *(BUYER["legalName"], BUYER["addressLine1"], "1010 Wien", "Austria", BUYER["vatId"], SELLER["taxNumber"]),
        *("DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "Reference INV-2026-00012", "Page 1 of 1"),
        *("HRB 12345", "A. Muster"),
    ):
        assert said in text
    assert "no invoice" not in text


def test_a_statement_says_that_it_is_no_invoice_and_has_no_tax_number() -> None:
    text = text_of(rendered(paper(*_LINES, document="statement")))
    assert "This statement is no invoice" in text
    for unsaid in (SELLER["vatId"], BUYER["vatId"], SELLER["taxNumber"], "DE89", "Invoice\n"):
        assert unsaid not in text


def test_a_draft_is_no_document() -> None:
    text = text_of(rendered(draft(*_LINES)))
    for said in ("Number Draft", "This is a draft and no document", "1 Nov 2026 – 20 Nov 2026", "Total €1,253.56"):
        assert said in text
    assert "Date" not in text
    assert "Payment" not in text


def test_a_credit_note_names_what_it_corrects_and_asks_for_nothing() -> None:
    note = paper(line(1, "-50.00"), kind="credit_note", originalNumber="INV-2026-00007", reason="Outage", dueOn=None)
    text = text_of(rendered(note))
    for said in (
        "Credit note",
        "Corrects INV-2026-00007",
        "Reason Outage",
        "Total -€59.50",
        "the amount is credited to you",
    ):
        assert said in text
    assert "IBAN" not in text


@pytest.mark.parametrize(
    ("category", "country", "locale", "said"),
    [
        ("AE", "DE", "en_GB", "Reverse charge"),
        ("AE", "DE", "de_DE", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("E", "DE", "de_DE", "Steuerbefreiung für Kleinunternehmer (§ 19 UStG)"),
        ("E", "AT", "en_GB", "Exempt from VAT as a small business (Directive 2006/112/EC, article 284)"),
        ("E", "CH", "en_GB", "Exempt from tax as a small business."),
        ("O", "DE", "en_GB", "Outside the scope of VAT"),
        ("O", "US", "en_GB", "Outside the scope of tax"),
    ],
)
def test_no_tax_has_its_reason(category: str, country: str, locale: str, said: str) -> None:
    parties = {"seller": {**SELLER, "country": country}, "buyer": BUYER}
    text = text_of(rendered(paper(*_LINES, category=category, rate="0", locale=locale, parties=parties)))
    assert said in text
    assert f"({category})" in text
    assert SELLER["vatId"] in text
    assert BUYER["vatId"] in text
    statement = text_of(rendered(paper(*_LINES, category=category, rate="0", parties=parties, document="statement")))
    assert [one in statement for one in (SELLER["vatId"], BUYER["vatId"])] == [category == "AE"] * 2
    assert SELLER["taxNumber"] not in statement


@pytest.mark.parametrize(
    ("currency", "locale", "amount", "said"),
    [
        ("JPY", "ja_JP", "1935", "¥1,935"),
        ("KWD", "en_GB", "1.235", "KWD1.235"),
        ("EUR", "de_DE", "1234.50", "1.234,50 €"),
        ("USD", "en_US", "1234.50", "$1,234.50"),
        ("ILS", "he_IL", "5.00", "5.00"),
        ("INR", "en_IN", "1234567.00", "₹12,34,567.00"),
        ("EUR", "en_GB", "95073507360958900000.00", "€95,073,507,360,958,900,000.00"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, locale: str, amount: str, said: str) -> None:
    text = text_of(rendered(paper(line(1, amount), currency=currency, locale=locale, rate="0", category="O")))
    assert unicodedata.normalize("NFKC", said) in unicodedata.normalize("NFKC", text).replace("KWD ", "KWD")


def test_words_are_german_for_a_german_seller() -> None:
    text = text_of(rendered(paper(*_LINES, locale="de_AT")))
    for said in ("Rechnung", "Leistungszeitraum", "GB-Monate", "Mehrverbrauch", "USt. 19 % (S) auf", "Seite 1 von 1"):
        assert said in text
    assert "Invoice" not in text


def test_months_are_named_in_the_language_of_the_words() -> None:
    text = text_of(rendered(paper(*_LINES, locale="he_IL")))
    assert "1 Nov 2026 – 30 Nov 2026" in text


@pytest.mark.parametrize(
    "name",
    [
        '#read("/etc/passwd")',
        "*x* _y_ `z` $a^2$ <label> @ref",
        '"quoted" \\ back\\slash',
        "#{while true {}}",
        "]#panic()[",
        "= heading // comment",
        "株式会社さくら",
        "Ελληνικά и Кириллица",
        "Tiếng Việt",
    ],
)
def test_names_are_text_and_never_markup(name: str) -> None:
    parties = {"seller": SELLER | {"legalName": name}, "buyer": BUYER | {"legalName": name, "buyerReference": name}}
    made = paper(line(1, "1.00", name), extra(2, "adjustment", "1.00", reason=name), footer=name, parties=parties)
    text = text_of(rendered(made))
    assert text.count(name) >= 5
    assert "root:" not in text


def test_scripts_are_shown_and_what_no_font_has_is_marked() -> None:
    for name in ("مرحبا بالعالم", "אחסון ענן", "हिन्दी नाम", "บริษัท", "株式会社", "한국", "Łódź Ñandú ẞ"):
        assert legible(name) == unicodedata.normalize("NFC", name)
    assert legible("Cloud 🙂!") == f"Cloud {MISSING}!"
    assert legible("a\u202eb\x00c") == "abc"
    assert legible("e\u0301") == "é"
    assert legible("株\u0e34") == "株"  # a mark of another font than its letter's
    assert len(FAMILIES) == 6
    rendered(paper(line(1, "1.00", "🙂 株\u0e34 \u0301 \u200d ￼ 𝔘 \U000e0001")))


def test_long_words_can_be_broken_and_stay_the_same_word() -> None:
    name = "Donaudampfschifffahrt" * 9
    assert legible(name).replace("\u200b", "") == name
    assert max(map(len, legible(name).split("\u200b"))) < 25
    assert legible("Nordlicht Speicher GmbH") == "Nordlicht Speicher GmbH"


def test_the_head_of_the_table_is_on_each_page_and_pages_are_counted() -> None:
    made = paper(*(line(number, "1.01", f"Partner {number}") for number in range(1, 61)))
    pages = [page.extract_text() for page in PdfReader(BytesIO(rendered(made))).pages]
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        if "Partner" in page:
            assert "Unit price" in page
    assert "€60.60" in pages[-1]


def test_the_same_statement_has_the_same_bytes() -> None:
    made = paper(*_LINES, logo=_png(3, 2))
    first = rendered(made)
    assert rendered(made) == first
    assert rendered({**made, "frozenOn": "2026-12-04"}) != first


def test_rendering_in_a_thread_gives_the_same() -> None:
    made = paper(*_LINES)
    assert asyncio.run(render(made)) == rendered(made)


def test_it_is_a_pdf_a_of_the_day_on_which_it_was_frozen() -> None:
    reader = PdfReader(BytesIO(rendered(paper(*_LINES))))
    root: Any = reader.trailer["/Root"]
    metadata: str = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata
    assert set(re.findall(r"\d{4}-\d\d-\d\d", metadata)) == {"2026-12-03"}
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice INV-2026-00012"
    assert reader.metadata.author == SELLER["legalName"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2000, 1), (1, 2000)])
def test_a_logo_of_any_shape_is_an_image(width: int, height: int) -> None:
    (page,) = PdfReader(BytesIO(rendered(paper(*_LINES, logo=_png(width, height))))).pages
    assert len(page.images) == 1


def test_a_footer_of_any_length_leaves_room_for_the_lines() -> None:
    text = text_of(rendered(paper(*_LINES, footer="\n".join(f"line {number}" for number in range(150)))))
    for said in ("Total €", "line 0\n", "line 149"):
        assert said in text


def test_what_is_missing_is_left_out() -> None:
    made = paper(line(1, "1.00"), parties={"seller": {"legalName": "A"}, "buyer": {"legalName": "B"}})
    for name in ("design", "dueOn", "corrects", "kind", "document"):
        del made[name]
    assert "This statement is no invoice" in text_of(rendered(made))


def _png(width: int, height: int) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\x1f\x3a\x5f" * width for _ in range(height)))
    image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b64encode(image).decode()
