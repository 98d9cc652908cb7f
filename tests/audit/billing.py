"""Billing profiles and the settings of sellers: one case per audited action, or several if its entries differ."""

import base64
from datetime import date
from decimal import Decimal

from tests.api.test_authorization import PNG
from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.billing_profiles.profiles import of_country
from tonnage.access.actor import Kind
from tonnage.billing_profiles import actions, settings_actions
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.tax import TaxRate

_AFTER = {"legalName": "Company of AT", "country": "AT", "vatId": "ATU13585627", "paymentTermDays": None, "iban": None}
_CHANGED = {"addressLine1Changed": True, "cityChanged": True}


async def organisation_update_billing_profile(data: AuditData) -> Recorded:
    whose = data.partner
    own, profile = ProfileSubject.own(whose), read_profile(of_country("AT", "ATU13585627"))
    async with data.watched():
        await data.run(actions.set_profile, whose, own, profile, NOW)
        await data.run(actions.set_profile, whose, own, profile, NOW)
    after = {**_AFTER, **_CHANGED}
    return data.entry("organisation.update-billing-profile", whose, whose, whose.organisation_id, after=after)


async def organisation_update_billing_profile_of_a_buyer(data: AuditData) -> Recorded:
    seller, buyer = data.distributor, data.partner.organisation_id
    kept = actions.of_buyer(seller, buyer)
    await data.run(actions.set_profile, seller, kept, read_profile(of_country("AT", "ATU13585627")), NOW)
    changed = {"contact_email": "ann@example.org", "iban": "DE89370400440532013000"}
    async with data.watched():
        expected = {"contact_email": "", "iban": ""}
        await data.run(actions.change_profile, seller, kept, changed, NOW, expected=expected)
    after = {**_AFTER, "iban": "…3000", "contactEmailChanged": True}
    return data.entry("organisation.update-billing-profile", seller, seller, buyer, before=_AFTER, after=after)


async def account_update_billing_profile(data: AuditData) -> Recorded:
    whose, account = data.partner, await data.cast.account(data.partner)
    profile = read_profile(of_country("AT", "ATU13585627"))
    async with data.watched():
        await data.run(actions.set_profile, whose, actions.of_account(whose, account), profile, NOW)
    after = {**_AFTER, **_CHANGED}
    return data.entry("account.update-billing-profile", whose, whose, account, after=after)


async def organisation_update_billing_settings(data: AuditData) -> Recorded:
    whose = data.distributor
    async with data.watched():
        for _ in range(2):
            await data.run(settings_actions.set_settings, whose, SellerSettings(footer="Ann", freeze_day=5), NOW)
    before = {key: value for key, value in SellerSettings().as_document().items() if key != "footer"}
    before["suspensionWarningDays"] = [7, 3, 1]
    after = {**before, "freezeDay": 5, "footerChanged": True}
    return data.entry("organisation.update-billing-settings", whose, whose, whose.organisation_id, before, after)


async def organisation_set_logo(data: AuditData) -> Recorded:
    whose = data.distributor
    async with data.watched():
        for _ in range(2):
            await data.run(settings_actions.set_logo, whose, base64.b64decode(PNG), NOW)
    return data.entry("organisation.set-logo", whose, whose, whose.organisation_id, after={"logo": True})


async def organisation_set_logo_to_none(data: AuditData) -> Recorded:
    whose = data.distributor
    await data.run(settings_actions.set_logo, whose, base64.b64decode(PNG), NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(settings_actions.set_logo, whose, None, NOW)
    return data.entry("organisation.set-logo", whose, whose, whose.organisation_id, after={"logo": False})


async def organisation_update_tax_rates(data: AuditData) -> Recorded:
    whose = data.distributor
    rates = [TaxRate(date(2026, 1, 1), Decimal(19)), TaxRate(date(2027, 1, 1), Decimal("8.1"))]
    await data.run(settings_actions.set_tax_rates, whose, rates[:1], NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(settings_actions.add_tax_rate, whose, rates[1], NOW)
    before, after = {"taxRates": "2026-01-01: 19 %"}, {"taxRates": "2026-01-01: 19 %, 2027-01-01: 8.1 %"}
    assert whose.kind is Kind.DISTRIBUTOR
    return data.entry("organisation.update-tax-rates", whose, whose, whose.organisation_id, before, after)


CASES: list[Case] = [
    organisation_update_billing_profile,
    organisation_update_billing_profile_of_a_buyer,
    account_update_billing_profile,
    organisation_update_billing_settings,
    organisation_set_logo,
    organisation_set_logo_to_none,
    organisation_update_tax_rates,
]
