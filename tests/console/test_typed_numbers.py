"""Numbers in the forms of the console, as members of several countries type them."""

import re
from html import unescape

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tests.console.html_forms import form_of
from tonnage.access.actor import Actor, Role
from tonnage.web.forms import Form, bind

pytestmark = pytest.mark.anyio

GERMAN, ENGLISH, INDIAN = "de_DE", "en_GB", "en_IN"


async def reads(client: AppClient, browser: Browser, locale: str) -> None:
    await client.cast.row("update member set locale = %s where id = %s returning id", locale, browser.member_id)


def preview_of(html: str, name: str) -> str:
    (text,) = re.findall(rf'id="{name}-preview"[^>]*>([^<]*)<', html)
    return unescape(text)


def error_of(html: str, name: str) -> str:
    found = re.findall(rf'id="{name}-error">([^<]*)<', html)
    return unescape(found[0]) if found else ""


async def opened(client: AppClient, locale: str, allocated: int = 5 * TB) -> tuple[Browser, Actor, str]:
    """A member who reads in that locale, a partner in a contract of 2000 TB, and the path of its allocation."""
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 2000 * TB)
    partner = await client.cast.partner(distributor, contract, allocated)
    browser = await client.sign_in(distributor, Role.STAFF)
    await reads(client, browser, locale)
    return browser, partner, f"/distributor/partners/{partner.organisation_id}/allocation"


async def allocated_to(client: AppClient, partner: Actor) -> int:
    (allocated,) = await client.cast.row(
        "select allocated_capacity from partner where id = %s", partner.organisation_id
    )
    return allocated


@pytest.mark.parametrize(
    ("locale", "text", "unit", "size"),
    [
        (GERMAN, "1,5", "TB", 1_500_000_000_000),
        (GERMAN, "1.5", "TB", 1_500_000_000_000),
        (GERMAN, "1.000,5", "GB", 1_000_500_000_000),
        (GERMAN, "1000", "TB", 1000 * TB),
        (ENGLISH, "1,5", "TB", 1_500_000_000_000),
        (ENGLISH, "1,000.5", "GB", 1_000_500_000_000),
        (ENGLISH, "1,500,000,000,000", "B", 1_500_000_000_000),
        (INDIAN, "1,00,000", "GB", 100 * TB),
        ("fr_FR", "1\N{NARROW NO-BREAK SPACE}000", "TB", 1000 * TB),
        ("de_CH", "1’000", "TB", 1000 * TB),
        ("ar_EG", "١٫٥", "TB", 1_500_000_000_000),
    ],
)
async def test_a_size_is_stored_as_it_was_meant(
    client: AppClient, locale: str, text: str, unit: str, size: int
) -> None:
    browser, partner, path = await opened(client, locale)
    saved = await browser.send(path, {"allocated": text, "allocated_unit": unit})
    assert saved.status_code == 303
    assert await allocated_to(client, partner) == size


@pytest.mark.parametrize(
    ("locale", "text", "said"),
    [
        (GERMAN, "1.000", "1.000 can be read as 1000 or as 1: write 1000 or 1"),
        (GERMAN, "1,125", "1,125 can be read as 1,1250 or as 1125: write 1,1250 or 1125"),
        (ENGLISH, "1.000", "1.000 can be read as 1 or as 1000: write 1 or 1000"),
        ("sv_SE", "1.000", "1.000 can be read as 1000 or as 1: write 1000 or 1"),
        (
            GERMAN,
            "1,5,0",
            "1,5,0 is not a number: write at most one separator, before the decimals, such as 1500 or 1,5",
        ),
        (
            GERMAN,
            "1,00,000",
            "1,00,000 is not a number: write at most one separator, before the decimals, such as 1500 or 1,5",
        ),
        (GERMAN, "10000000", "must be at most 9,22\N{NARROW NO-BREAK SPACE}EB (9.223.372.036.854.775.807 bytes)"),
        (GERMAN, "1e3", "must be written with all its digits, without an exponent"),
        (GERMAN, "<b>", "must be a number and nothing else, such as 1,5"),
    ],
)
async def test_what_is_not_clear_is_refused_and_kept_in_the_field(
    client: AppClient, locale: str, text: str, said: str
) -> None:
    browser, partner, path = await opened(client, locale)
    refused = await browser.send(path, {"allocated": text, "allocated_unit": "TB"})
    assert refused.status_code == 422
    assert error_of(refused.text, "allocated") == said
    form = form_of(refused.text, path)
    assert (unescape(form.shown["allocated"]), form.shown["allocated_unit"]) == (text, "TB")
    assert preview_of(refused.text, "allocated") == ""
    assert await allocated_to(client, partner) == 5 * TB


async def test_a_form_shows_its_numbers_in_the_readers_format_and_what_they_mean(client: AppClient) -> None:
    browser, _, path = await opened(client, GERMAN, 2_500_000_000_000)
    html = (await browser.get(path)).text
    assert form_of(html, path).shown["allocated"] == "2,5"
    assert preview_of(html, "allocated") == "2,5\N{NARROW NO-BREAK SPACE}TB = 2.500.000.000.000 bytes"
    assert 'aria-describedby="allocated-preview allocated-hint"' in html
    # Refused for another reason: what was typed has its meaning beside it, also without JavaScript.
    refused = await browser.send(path, {"allocated": "3000,5", "allocated_unit": "TB"})
    assert refused.status_code == 409
    assert 'aria-describedby="allocated-error allocated-preview allocated-hint"' in refused.text
    assert preview_of(refused.text, "allocated") == "3.000,5\N{NARROW NO-BREAK SPACE}TB = 3.000.500.000.000.000 bytes"


@pytest.mark.parametrize(("shown_in", "sent_in"), [(GERMAN, ENGLISH), (ENGLISH, GERMAN), (INDIAN, "fr_FR")])
@pytest.mark.parametrize(
    ("typed", "size"), [(None, 1_500_000_000_000), ("2.5", 2_500_000_000_000), ("2,5", 2_500_000_000_000)]
)
async def test_a_locale_that_changes_before_the_form_is_sent_changes_no_number(
    client: AppClient, shown_in: str, sent_in: str, typed: str | None, size: int
) -> None:
    """Two tabs: the form is open in one, and the locale is changed in the other."""
    browser, partner, path = await opened(client, shown_in, 1_500_000_000_000)
    form = form_of((await browser.get(path)).text, path)
    await reads(client, browser, sent_in)
    fields = {**form.fields, "overdraft": "on", **({"allocated": typed} if typed else {})}
    assert (await browser.submit(path, fields)).status_code == 303
    query = "select allocated_capacity, allow_overdraft from partner where id = %s"
    assert await client.cast.row(query, partner.organisation_id) == (size, True)


async def test_an_untouched_price_is_no_change_whatever_its_decimals(client: AppClient) -> None:
    """1.125 is written with a fourth decimal; untouched, it is neither refused nor changed."""
    cast = client.cast
    signed = await cast.contract(await cast.distributor(), 10 * TB)
    await cast.row("update contract set price_cents = 1.125 where id = %s returning id", signed)
    path = f"/operator/contracts/{signed}"
    admin = await client.sign_in(cast.operator)
    await reads(client, admin, GERMAN)
    html = (await admin.get(path)).text
    form = form_of(html, path)
    assert form.shown["price"] == "1,1250"
    assert preview_of(html, "price") == "0,01125\N{NO-BREAK SPACE}€ / GB-month (11,25\N{NO-BREAK SPACE}€ / TB)"
    await reads(client, admin, ENGLISH)
    assert (await admin.submit(path, {**form.fields, "details": "New"})).status_code == 303
    query = "select details, trim_scale(price_cents)::text from contract where id = %s"
    assert await cast.row(query, signed) == ("New", "1.125")
    await reads(client, admin, GERMAN)
    assert (await admin.send(path, {**form.shown, "details": "New", "price": "0,69"})).status_code == 303
    assert await cast.row(query, signed) == ("New", "0.69")


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("1.000", "1.000 can be read as 1000 or as 1: write 1000 or 1"),
        ("0,1234567", "must be at most 1000000000000, with at most 6 digits after the decimal separator"),
        ("1234567890123", "must be at most 1000000000000, with at most 6 digits after the decimal separator"),
        ("-1", "must be 0 or more: remove the minus sign"),
    ],
)
async def test_a_price_that_is_none_is_refused_and_kept(client: AppClient, price: str, said: str) -> None:
    admin = await client.sign_in(client.cast.operator)
    await reads(client, admin, GERMAN)
    distributor = await client.cast.distributor()
    fields = {"distributor": str(distributor.organisation_id), "details": "", "currency": " eur "}
    fields |= {"reserved": "1,5", "reserved_unit": "TB", "price": price}
    refused = await admin.send("/operator/contracts/new", fields)
    assert refused.status_code == 422
    assert error_of(refused.text, "price") == said
    assert form_of(refused.text, "/operator/contracts/new").shown["price"] == price
    assert preview_of(refused.text, "reserved") == "1,5\N{NARROW NO-BREAK SPACE}TB = 1.500.000.000.000 bytes"
    signed = await admin.send("/operator/contracts/new", {**fields, "price": "0,5"})
    page = (await admin.get(signed.headers["location"])).text
    assert preview_of(page, "price") == "0,005\N{NO-BREAK SPACE}€ / GB-month (5,00\N{NO-BREAK SPACE}€ / TB)"


async def test_every_form_reads_and_suggests_in_the_format_of_its_member(client: AppClient, data: AccountData) -> None:
    partner = data.partner.organisation_id
    (contract,) = await client.cast.row("select contract_id from partner where id = %s", partner)
    pages = [
        (client.cast.operator, "/operator/contracts/new", "reserved"),
        (client.cast.operator, "/operator/contracts/new", "price"),
        (client.cast.operator, f"/operator/contracts/{contract}", "reserved"),
        (client.cast.operator, f"/operator/contracts/{contract}", "price"),
        (data.distributor, "/distributor/partners/new", "allocated"),
        (data.distributor, f"/distributor/partners/{partner}/allocation", "allocated"),
        (data.distributor, f"/distributor/partners/{partner}/accounts/new", "allocated"),
        (data.distributor, f"/distributor/partners/{partner}/accounts/{data.account}/settings", "allocated"),
        (data.partner, "/partner/accounts/new", "allocated"),
        (data.partner, f"/partner/accounts/{data.account}/settings", "allocated"),
    ]
    for actor, path, field in pages:
        browser = await client.sign_in(actor)
        await reads(client, browser, GERMAN)
        unit = {} if field == "price" else {f"{field}_unit": "TB"}
        refused = await browser.send(path, {field: "1.125", **unit})
        assert refused.status_code == 422, path
        assert error_of(refused.text, field) == "1.125 can be read as 1125 or as 1,1250: write 1125 or 1,1250", path
        assert form_of(refused.text, path).shown[field] == "1.125", path


def _forms(kind: type[Form]) -> set[type[Form]]:
    found = set(kind.__subclasses__())
    return {one for one in found.union(*map(_forms, found)) if one.__module__.startswith("tonnage.")}


def test_every_number_of_a_form_is_read_as_people_type_it() -> None:
    """A field of another type, such as a plain int, would read 1.000 as something."""
    numbers: set[str] = set()
    for kind in _forms(Form):
        for name, field in kind.model_fields.items():
            of = re.search(r"\b(?:int|float|Decimal)\b", repr(field.annotation))
            if of is None:
                continue
            is_size = of[0] == "int" and "_count" not in repr(field.metadata)
            unit = {f"{name}_unit": "TB"} if is_size else {}
            errors = bind(kind, {name: "1.000", **unit}).errors
            assert "can be read as" in str(errors.get(name)), f"{kind.__name__}.{name}"
            numbers.add(f"{kind.__name__}.{name}")
    assert numbers >= {
        "NewContractForm.reserved", "NewContractForm.price", "AmendmentForm.reserved", "AmendmentForm.price",
        "NewPartnerForm.allocated", "AllocationForm.allocated", "NewAccountForm.allocated", "ChangeForm.allocated",
        "NewApiKeyForm.limit",
    }  # fmt: skip
