"""The pages of billing: all errors at once, what a buyer has written, logos, tax rates."""

import base64

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.api.test_authorization import PNG
from tests.billing_profiles.profiles import PROFILE, of_country
from tests.console.html_forms import form_of
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

TYPED = {
    "legal_name": "Zebra & Sons <Ltd>",
    "address_line1": "1 Harbour Row",
    "city": "Hull",
    "country": "GB",
    "vat_id": "gb 980 7806 84",
}


async def test_all_errors_are_shown_at_their_fields(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.partner)
    wrong = {
        "legal_name": "", "address_line1": "1 Row", "country": "DE", "vat_id": "DE1", "iban": "DE1", "bic": "1",
        "payment_term_days": "many", "electronic_address": "1", "contact_email": "nobody", "city": "",
    }  # fmt: skip
    form = form_of((await ann.get("/billing-profile")).text, "/billing-profile")
    refused = await ann.http.post("/billing-profile", data={**form.fields, **wrong})
    assert refused.status_code == 422
    again = form_of(refused.text, "/billing-profile")
    assert {name.removesuffix("-error") for name in again.errors} == wrong.keys() - {"address_line1", "country"}
    assert {name: again.shown[name] for name in wrong} == wrong
    other = await ann.http.post("/billing-profile", data={**form.fields, **TYPED, "country": "DE"})
    said = form_of(other.text, "/billing-profile").errors
    assert said == {"vat_id-error": "is one of GB, but the address is in DE; write a VAT id that begins with DE"}


async def test_a_profile_is_saved_and_shown_to_those_who_do_not_change_it(client: AppClient, data: AccountData) -> None:
    ann, bob = await client.sign_in(data.partner), await client.sign_in(data.partner, Role.VIEWER)
    assert "No billing profile yet" in (await bob.get("/billing-profile")).text
    assert (await ann.send("/billing-profile", TYPED)).status_code == 303
    shown = (await bob.get("/billing-profile")).text
    assert "Zebra &amp; Sons &lt;Ltd&gt;" in shown
    assert "GB980780684" in shown
    assert "<form" not in shown.partition("<main")[2].partition("</main")[0]


async def test_a_seller_sees_what_the_buyer_has_written(client: AppClient, data: AccountData) -> None:
    partner = data.partner.organisation_id
    eve, path = await client.sign_in(data.distributor), f"/distributor/partners/{partner}/billing-profile"
    assert (await eve.send(path, TYPED)).status_code == 303
    assert "Written by the buyer" not in (await eve.get(path)).text
    key = await client.key(data.partner)
    await client.call("PUT", "/ext/v1/billing-profile", key, json=PROFILE)
    page = (await eve.get(path)).text
    assert "Written by the buyer" in page
    assert PROFILE["legalName"] in page
    ann = await client.sign_in(data.partner)
    assert "Zebra" not in (await ann.get("/billing-profile")).text
    assert "Zebra" not in (await ann.get("/audit")).text


async def test_another_admin_has_changed_it_by_api(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    await client.call("PUT", "/ext/v1/billing-profile", key, json=PROFILE)
    ann = await client.sign_in(data.partner)
    stale = form_of((await ann.get("/billing-profile")).text, "/billing-profile")
    changed = {**PROFILE, "iban": "AT611904300234573201", "city": "Kiel"}
    await client.call("PUT", "/ext/v1/billing-profile", key, json=changed)
    iban = {"iban": "FR1420041010050500013M02606"}
    refused = await ann.http.post("/billing-profile", data={**stale.fields, **iban})
    assert refused.status_code == 409
    said = form_of(refused.text, "/billing-profile").errors
    assert said["iban-error"].startswith("Now …3201. Changed from …3000 by the API key")
    assert said["city-note"].startswith("Now “Kiel”. Changed from “Hamburg” by the API key")


async def test_a_logo_is_a_file(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.partner)
    page = (await ann.get("/billing-settings")).text
    assert 'enctype="multipart/form-data"' in page
    fields = form_of(page, "/billing-settings/logo").hidden
    image = base64.b64decode(PNG)

    async def send(content: bytes, name: str = "logo.png") -> int:
        sent = await ann.http.post("/billing-settings/logo", data=fields, files={"logo": (name, content)})
        return sent.status_code

    assert await send(image) == 303
    assert f"data:image/png;base64,{PNG}" in (await ann.get("/billing-settings")).text
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for wrong, name in ((svg, "logo.svg"), (svg, "logo.png"), (b"", ""), (bytes(250_000), "logo.png")):
        assert await send(wrong, name) == 422
    assert await send(bytes(10_000_000)) == 413
    assert await client.cast.row(
        "select logo from seller_settings where organisation_id = %s", data.partner.organisation_id
    ) == (PNG,)
    unsigned = await ann.http.post(
        "/billing-settings/logo", files={"logo": ("a.png", image), "csrf": (None, b"guessed")}
    )
    assert unsigned.status_code == 403


async def test_settings_that_are_wrong_are_shown_at_their_fields(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.partner)
    form = form_of((await ann.get("/billing-settings")).text, "/billing-settings")
    wrong = {"colour": "red", "freeze_day": "29", "number_format": "{number.__class__}", "number_start": "0"}
    refused = await ann.http.post("/billing-settings", data={**form.fields, **wrong})
    assert refused.status_code == 422
    assert form_of(refused.text, "/billing-settings").errors.keys() == {f"{name}-error" for name in wrong}
    lines = {"footer": "One\r\nTwo"}
    assert (await ann.http.post("/billing-settings", data={**form.fields, **lines})).status_code == 303
    # Browsers send the line break of the hidden original as CR LF, too.
    form = form_of((await ann.get("/billing-settings")).text, "/billing-settings")
    sent = {**form.fields, "was.footer": "One\r\nTwo", "footer": "Three"}
    assert (await ann.http.post("/billing-settings", data=sent)).status_code == 303


async def test_tax_rates(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.partner)
    assert "No tax rates yet" in (await ann.get("/tax-rates")).text
    for day, percent in (("2026-01-01", "18"), ("2027-01-01", "20"), ("2026-01-01", "19")):
        assert (await ann.send("/tax-rates", {"valid_from": day, "percent": percent})).status_code == 303
    for day, percent in (("2026-02-30", "1"), ("2026-01-01", "101"), ("", "")):
        assert (await ann.send("/tax-rates", {"valid_from": day, "percent": percent})).status_code == 422
    query = "select string_agg(percent::text, ' ' order by valid_from) from tax_rate where organisation_id = %s"
    assert await client.cast.row(query, data.partner.organisation_id) == ("19.000 20.000",)
    question = (await ann.get("/tax-rates/2027-01-01/removal")).text
    assert "no longer have the rate of 20 %" in question
    assert (await ann.send("/tax-rates/2027-01-01/removal", {})).status_code == 303
    assert (await ann.post("/tax-rates/2027-01-01/removal")).status_code == 303
    assert await client.cast.row(query, data.partner.organisation_id) == ("19.000",)
    assert "2026-01-01: 19 %" in (await ann.get("/audit")).text


async def test_a_profile_of_a_storage_account(client: AppClient, data: AccountData) -> None:
    ann, path = await client.sign_in(data.partner), f"/partner/accounts/{data.account}/billing-profile"
    assert (await ann.send(path, TYPED)).status_code == 303
    key = await client.key(data.partner)
    shown = await client.call("GET", f"/ext/v1/storage-accounts/{data.account}/billing-profile", key)
    assert shown.json()["vatId"] == "GB980780684"
    assert shown.json()["clientAccountId"] == f"{data.account:012}"
    written = await client.call(
        "PUT", f"/ext/v1/storage-accounts/{data.account}/billing-profile", key, json=of_country("FR")
    )
    assert written.headers["etag"] == '"3"'
