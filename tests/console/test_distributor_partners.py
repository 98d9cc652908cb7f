"""A distributor's lists: partners with their contracts' totals, and contracts."""

import csv
import io
import re
from decimal import Decimal

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tonnage.access.actor import Role
from tonnage.contracts.actions import create_contract
from tonnage.contracts.contract import NewContract

pytestmark = pytest.mark.anyio


def lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_the_file_is_the_list_with_its_search_filter_and_order(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 50 * TB)
    for name, allocated in (("=cmd hill", 3 * TB), ("Hill two", TB), ("Hill free", 0), ("Valley", 2 * TB)):
        await client.cast.partner(distributor, contract, allocated, name=name)
    browser = await client.sign_in(distributor, Role.VIEWER)
    query = f"?contract={contract}&q=hill&sort=allocated.asc"
    page = await browser.get(f"/distributor/partners{query}")
    shown = re.findall(r'<a href="/distributor/partners/[0-9a-f-]{36}">([^<]+)</a>', page.text)
    assert shown == ["Hill free", "Hill two", "=cmd hill"]
    file = lines((await browser.get(f"/distributor/partners.csv{query}")).text)
    assert [line[0] for line in file[1:]] == ["Hill free", "Hill two", "'=cmd hill"]
    assert [line[2] for line in file[1:]] == ["0", "1000000000000", "3000000000000"]
    free = lines((await browser.get("/distributor/partners.csv?show=pay-per-use")).text)
    assert [line[0] for line in free[1:]] == ["Hill free"]


async def test_a_contract_is_chosen_and_kept(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    first = await cast.contract(distributor, 100 * TB, details="Main <contract>")
    second = await cast.contract(distributor, 10 * TB, details="Second")
    await cast.partner(distributor, first, 53 * TB, name="In the first")
    await cast.partner(distributor, second, TB, name="In the second")
    browser = await client.sign_in(distributor, Role.STAFF)
    page = await browser.get(f"/distributor/partners?contract={first}")
    assert "In the first" in page.text
    assert "In the second" not in page.text
    between = "\N{NARROW NO-BREAK SPACE}"
    assert f"Main &lt;contract&gt;: 47{between}TB of 100{between}TB remaining" in page.text
    assert f'href="/distributor/partners/new?contract={first}"' in page.text
    assert f"partners.csv?contract={first}" in page.text
    made = await browser.get(f"/distributor/partners/new?contract={second}")
    assert f'<option value="{second}" data-remaining="9000000000000" selected>' in made.text
    everything = await browser.get("/distributor/partners?contract=")
    assert "In the first" in everything.text
    assert "In the second" in everything.text


async def test_another_distributors_contract_is_not_found(client: AppClient) -> None:
    cast = client.cast
    distributor, stranger = await cast.distributor(), await cast.distributor()
    strangers = await cast.contract(stranger)
    await cast.contract(distributor)
    browser = await client.sign_in(distributor)
    for path in ("partners", "partners.csv", "partners/fees"):
        for contract in (str(strangers), "<script>"):
            answer = await browser.http.get(f"/distributor/{path}", params={"contract": contract})
            assert (path, answer.status_code) == (path, 404)


async def test_a_distributor_without_a_contract_sees_a_note(client: AppClient) -> None:
    browser = await client.sign_in(await client.cast.distributor())
    for path in ("partners", "partners/new", "contracts"):
        assert "No contracts yet" in (await browser.get(f"/distributor/{path}")).text


async def test_a_viewer_is_not_offered_what_it_may_not_do(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    await client.cast.contract(distributor)
    offered = 'href="/distributor/partners/new"'
    assert offered in (await (await client.sign_in(distributor, Role.STAFF)).get("/distributor/partners")).text
    assert offered not in (await (await client.sign_in(distributor, Role.VIEWER)).get("/distributor/partners")).text


async def test_contracts_lead_to_their_partners_and_are_a_file(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB, details="@Main")
    await cast.partner(distributor, contract, 9_500_000_000_000)
    await cast.contract(distributor, 10 * TB, details="Empty")
    browser = await client.sign_in(distributor, Role.VIEWER)
    page = await browser.get("/distributor/contracts?show=full")
    assert f'href="/distributor/partners?contract={contract}"' in page.text
    assert "Empty" not in page.text
    file = lines((await browser.get("/distributor/contracts.csv?show=full")).text)
    assert file[1][:7] == ["'@Main", "10000000000000", "9500000000000", "500000000000", "0", "", "1"]
    assert file[1][7:9] == ["100", "EUR"]
    assert len(file) == 2


async def test_a_file_is_written_for_the_spreadsheet_of_its_reader(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    terms = NewContract(10 * TB, Decimal("0.625"), "EUR", "a;=1")
    operator, now = client.cast.operator, client.cast.now
    await client.cast.database.run(create_contract, operator, distributor.organisation_id, terms, now)
    browser = await client.sign_in(distributor, Role.VIEWER)
    path = "/distributor/contracts.csv"
    english = await browser.get(path)
    assert english.content.startswith(b"\xef\xbb\xbfName,Reserved bytes,")
    assert english.text.splitlines()[1].startswith("a;'=1,10000000000000,0,10000000000000,0,,0,0.625,EUR,")
    await client.cast.row("update member set locale = 'de_DE' where id = %s returning id", browser.member_id)
    german = await browser.get(path)
    assert german.content.startswith(b"\xef\xbb\xbfName;Reserved bytes;")
    assert german.text.splitlines()[1].startswith('"a;\'=1";10000000000000;0;10000000000000;0;;0;0,625;EUR;')
