"""A month's fee on every page that shows it: the same for all audiences, in the digits of its currency."""

from datetime import timedelta

import pytest

from tests.api.conftest import AppClient
from tests.billing.histories import amend, move
from tests.usage.steps import record

pytestmark = pytest.mark.anyio

HALF_OF_31_DAYS = 31 * 10**9 // 2
"""Bytes: on one of 31 days they are half a GB-month."""


@pytest.mark.parametrize(
    ("currency", "price", "half", "whole"),
    [
        ("EUR", "1", "€0.01", "€0.02"),
        ("JPY", "100", "JP¥1", "JP¥2"),
        ("KWD", "0.1", "KWD0.001", "KWD0.002"),
    ],
)
async def test_a_partner_that_moved_has_one_fee(
    client: AppClient, currency: str, price: str, half: str, whole: str
) -> None:
    """Half of the smallest unit under each of two contracts, in the digits of the currency."""
    cast, now = client.cast, client.clock.now
    today = now.replace(hour=0)  # in March, which has 31 days
    cast.now = now - timedelta(days=10)
    await cast.region()
    distributor = await cast.distributor()
    contracts = [await cast.contract(distributor, currency=currency) for _ in range(2)]
    for contract in contracts:
        await amend(cast, contract, price, cast.now)
    partner = await cast.partner(distributor, contracts[0])
    await record(cast, (await cast.account(partner), today - timedelta(days=1), HALF_OF_31_DAYS), now=now)
    await move(cast, distributor, partner, contracts[1], today)
    browser, operator = await client.sign_in(distributor), await client.sign_in(cast.operator)
    shown = {
        "/distributor/partners": (browser, whole),
        "/distributor/partners/excess": (browser, whole),
        **{f"/distributor/partners?contract={contract}": (browser, half) for contract in contracts},
        f"/distributor/partners/{partner.organisation_id}": (browser, whole),
        f"/operator/partners/{partner.organisation_id}": (operator, whole),
    }
    for path, (reader, fee) in shown.items():
        page = await reader.get(path)
        assert (path, page.status_code) == (path, 200)
        assert f'<span title="{fee}">{fee}</span>' in page.text, path
