"""The page of a distributor's contract, and the history of terms of contracts and partners."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tonnage.access.actor import Role
from tonnage.contracts.actions import amend_contract
from tonnage.contracts.contract import Amendment
from tonnage.contracts.lists import TERMS, contract_terms
from tonnage.partners.actions import move_partner, update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.anyio

SPACE = "\N{NARROW NO-BREAK SPACE}"


def shown(size: int, unit: str = "TB") -> str:
    """A size as pages write it."""
    exact = size * {"TB": TB}[unit]
    return f'<span title="{exact:,} bytes">{size}{SPACE}{unit}</span>'


async def test_a_contract_has_a_page_for_its_distributor(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    await cast.partner(distributor, contract, 4 * TB)
    viewer = await client.sign_in(distributor, Role.VIEWER)
    path = f"/distributor/contracts/{contract}"
    assert f'<a href="{path}">' in (await viewer.get("/distributor/contracts")).text
    page = (await viewer.get(path)).text
    for size in (shown(10), shown(4), shown(6)):
        assert size in page
    for href in (
        f"/distributor/partners?contract={contract}",
        f"{path}/prices",
        f"/statements?role=buyer&amp;buyer={contract}",
        f"/statements/draft-{contract}-{client.clock.now:%Y-%m}",
    ):
        assert f'href="{href}"' in page, href
    assert "Contract signed" in page
    assert page.count("Applies now") == 1


async def test_another_distributors_contract_is_not_found(client: AppClient) -> None:
    cast = client.cast
    distributor, other = await cast.distributor(), await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract)
    stranger = await client.sign_in(other)
    for path in (f"contracts/{contract}", f"contracts/{uuid4()}", f"partners/{partner.organisation_id}/terms"):
        assert (await stranger.get(f"/distributor/{path}")).status_code == 404, path
    state = read_list_state(TERMS, {})
    assert (await cast.database.run(contract_terms, other.organisation_id, contract, state)).total == 0


async def test_a_history_says_what_each_change_was(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    now = cast.now
    for days, amendment in enumerate(
        (Amendment(12 * TB), Amendment(price_cents=None, details="Renamed"), Amendment(11 * TB, Decimal(50))), start=1
    ):
        await cast.database.run(amend_contract, cast.operator, contract, amendment, now + timedelta(days=days))
    expected = [
        "Contract signed",
        f"Reserved capacity from {shown(10)} to {shown(12)}",
        f"Reserved capacity from {shown(12)} to {shown(11)}",
        "Excess price from €1.00 / GB-month (€1,000.00 / TB) to €0.50 / GB-month (€500.00 / TB)",
    ]
    for actor, root in ((distributor, "/distributor"), (cast.operator, "/operator")):
        browser = await client.sign_in(actor, Role.VIEWER)
        page = (await browser.get(f"{root}/contracts/{contract}")).text
        assert [page.count(text) for text in expected] == [1] * len(expected), root
        order = [page.index(text) for text in reversed(expected[:3])]
        assert order == sorted(order), root


async def test_a_partners_history_has_moves_allocations_and_overdraft(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    first, second = await cast.contract(distributor), await cast.contract(distributor)
    await cast.database.run(amend_contract, cast.operator, second, Amendment(details="<Second>"), cast.now)
    partner = (await cast.partner(distributor, first, 4 * TB)).organisation_id
    changes = (PartnerChange(None, 5 * TB, None), PartnerChange(None, 0, True), PartnerChange(None, None, False))
    for days, change in enumerate(changes, start=1):
        await cast.database.run(update_partner, distributor, partner, change, cast.now + timedelta(days=days))
    await cast.database.run(move_partner, distributor, partner, second, cast.now + timedelta(days=9))
    viewer = await client.sign_in(distributor, Role.VIEWER)
    assert (
        f'href="/distributor/partners/{partner}/terms"' in (await viewer.get(f"/distributor/partners/{partner}")).text
    )
    page = (await viewer.get(f"/distributor/partners/{partner}/terms")).text
    expected = [
        "Moved from Unnamed contract to &lt;Second&gt;",
        "Overdraft no longer allowed",
        f"Allocation from {shown(5)} to pay-per-use<br>Overdraft allowed",
        f"Allocation from {shown(4)} to {shown(5)}",
        "Partner created",
    ]
    assert [page.count(text) for text in expected] == [1] * len(expected), page
    order = [page.index(text) for text in expected]
    assert order == sorted(order)
    assert page.count(f'href="/distributor/contracts/{first}"') == 4


async def test_a_long_history_has_pages_without_gaps(client: AppClient) -> None:
    """The first row of a page says what changed against the last one of the page before."""
    cast = client.cast
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    for number in range(1, 31):
        amendment = Amendment((10 + number) * TB)
        await cast.database.run(amend_contract, cast.operator, contract, amendment, cast.now + timedelta(hours=number))
    scope = distributor.organisation_id
    newest = await cast.database.run(contract_terms, scope, contract, read_list_state(TERMS, {}))
    oldest = await cast.database.run(contract_terms, scope, contract, read_list_state(TERMS, {"page": "last"}))
    rows = [*newest.rows, *oldest.rows]
    assert (newest.total, len(newest.rows), len(oldest.rows)) == (31, 25, 6)
    assert [row.reserved_before for row in rows] == [*(row.reserved for row in rows[1:]), None]
    assert [row.is_present for row in rows] == [True, *([False] * 30)]
    viewer = await client.sign_in(distributor, Role.VIEWER)
    page = (await viewer.get(f"/distributor/contracts/{contract}")).text
    assert "Contract signed" not in page
    assert "1 to 25 of 31" in page
    assert "Contract signed" in (await viewer.get(f"/distributor/contracts/{contract}?page=last")).text
