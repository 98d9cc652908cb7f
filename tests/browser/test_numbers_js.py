"""numbers.js reads numbers as the server does, and shows what they mean while they are typed."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.stub_page import StubPage
from tests.web.test_web_number_text import AMBIGUOUS, CLEAR, REFUSED
from tonnage.web.number_text import WITH_POINT, NumberFormat, parse_number

pytestmark = pytest.mark.browser

_FORMATS = (WITH_POINT, NumberFormat(","), NumberFormat(".", has_pairs=True))
_GROUPED_IN_PAIRS = ("1,00,000", "12,34,567.5", "1.00.000,5", "1,00,00")
_READ = """([texts, format]) => texts.map((text) => tonnageNumbers.read(text, format)
    .map((value) => [tonnageNumbers.plainText(value), tonnageNumbers.written(value, format.decimal)]))"""


def readings(text: str, reader: NumberFormat) -> list[str]:
    """By the server's parser: one number, the two of an ambiguous text as they are to be written, or none."""
    try:
        return [f"{parse_number(text, reader):f}"]
    except ValueError as refusal:
        _, separator, both = str(refusal).partition(": write ")
        return both.split(" or ") if separator and " can be read as " in str(refusal) else []


def test_scripts_read_numbers_as_the_server_does(stub: StubPage) -> None:
    page = stub.show("")
    texts = [*CLEAR, *AMBIGUOUS, *REFUSED, *_GROUPED_IN_PAIRS]
    for reader in _FORMATS:
        given = {"decimal": reader.decimal, **({"pairs": ""} if reader.has_pairs else {})}
        found: list[Any] = page.evaluate(_READ, [texts, given])
        for text, values in zip(texts, found, strict=True):
            shown = [one[1] for one in values] if len(values) == 2 else [one[0] for one in values]
            assert shown == readings(text, reader), (text, reader)
            for plain, written in values:
                assert parse_number(written, reader) == Decimal(plain)


_AMBIGUOUS = 'data-ambiguous="{text} can be read as {first} or as {second}: write {first} or {second}"'
SIZE = f"""<form method="post" action="/partner"><div class="field size" data-size>
<label for="size">Allocation</label>
<input id="size" name="size" inputmode="decimal" data-number data-decimal="," aria-describedby="size-preview">
<select name="size_unit" aria-label="Unit" data-size-unit><option selected>TB</option><option>B</option></select>
<p class="preview" id="size-preview" aria-live="polite" data-preview
data-one="{{count}} byte" data-many="{{count}} bytes" {_AMBIGUOUS}></p></div></form>"""


def test_the_sum_of_a_size_follows_what_is_typed(stub: StubPage) -> None:
    page = stub.show(SIZE, locale="de-DE")
    preview = page.locator("#size-preview")
    for typed, unit, text in (
        ("1,5", "TB", "1,5\u202fTB = 1.500.000.000.000 bytes"),
        ("1.5", "TB", "1,5\u202fTB = 1.500.000.000.000 bytes"),
        ("1234,25", "TB", "1.234,25\u202fTB = 1.234.250.000.000.000 bytes"),
        ("9.223.372.036.854.775.807", "B", "9.223.372.036.854.775.807\u202fB = 9.223.372.036.854.775.807 bytes"),
        ("9223372036854775808", "B", ""),
        ("1", "B", "1\u202fB = 1 byte"),
        ("0", "TB", "0\u202fTB = 0 bytes"),
        ("1,5", "B", ""),
        ("1.000", "TB", "1.000 can be read as 1000 or as 1: write 1000 or 1"),
        ("1,125", "TB", "1,125 can be read as 1,1250 or as 1125: write 1,1250 or 1125"),
        ("1,5,0", "TB", ""),
        ("much", "TB", ""),
    ):
        page.locator("#size").fill(typed)
        page.get_by_label("Unit").select_option(unit)
        expect(preview).to_have_text(text)
    page.locator("#size").fill("<img src=x> 1.000")
    expect(preview).to_have_text("")


def test_a_text_that_a_browser_has_restored_has_its_sum_but_a_refused_one_no_second_message(stub: StubPage) -> None:
    filled = SIZE.replace("data-number ", 'value="1.000,5" data-number ', 1)
    expect(stub.show(filled).locator("#size-preview")).to_have_text("1,000.5\u202fTB = 1,000,500,000,000,000 bytes")
    refused = SIZE.replace("data-number ", 'value="1.000" aria-invalid="true" data-number ', 1)
    page = stub.show(refused)
    page.wait_for_load_state("load")
    expect(page.locator("#size-preview")).to_have_text("")
    page.get_by_label("Unit").select_option("B")
    expect(page.locator("#size-preview")).to_have_text("1.000 can be read as 1000 or as 1: write 1000 or 1")


PRICE = f"""<form method="post" action="/contract"><div class="field" data-price>
<label for="price">Price</label>
<input id="price" name="price" inputmode="decimal" data-number data-decimal=".">
<p class="preview" id="price-preview" aria-live="polite" data-preview
data-text="{{gb}} per GB, {{tb}} per TB" {_AMBIGUOUS}></p></div>
<label for="currency">Currency</label><input id="currency" name="currency" value="EUR"></form>"""


def test_the_amount_of_a_price_follows_what_is_typed_and_its_currency(stub: StubPage) -> None:
    page = stub.show(PRICE)
    preview = page.locator("#price-preview")
    for price, currency, text in (
        ("0.69", "EUR", "€0.0069 per GB, €6.90 per TB"),
        ("0,69", " eur ", "€0.0069 per GB, €6.90 per TB"),
        ("999999999999.999999", "EUR", "€9,999,999,999.99999999 per GB, €9,999,999,999,999.99999 per TB"),
        ("100", "JPY", "JP¥1 per GB, JP¥1,000 per TB"),
        ("100", "EU", ""),
        ("100", "E-R", ""),
        ("", "EUR", ""),
    ):
        page.locator("#price").fill(price)
        page.locator("#currency").fill(currency)
        expect(preview).to_have_text(text)
    page = stub.show(PRICE.replace("data-price", 'data-price data-currency="GBP"'), locale="en-IN")
    page.locator("#price").fill("10000000")
    expect(page.locator("#price-preview")).to_have_text("£1,00,000.00 per GB, £10,00,00,000.00 per TB")
