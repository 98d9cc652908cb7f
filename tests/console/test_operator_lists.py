"""The operator's lists, their CSV files, and the pages of single resources."""

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest

from tests.api.conftest import AppClient, application
from tests.cast import TB, Cast, unique
from tests.console.browsers import Browser
from tests.usage.steps import record
from tonnage.access.actor import Actor, Role
from tonnage.db import connect
from tonnage.usage.lists import FEW_PARTNERS

pytestmark = pytest.mark.anyio

NOBODY = "00000000-0000-4000-8000-000000000000"

HOSTILE = '=cmd|"/c calc" <script>alert(1)</script>'
ESCAPED = "=cmd|&#34;/c calc&#34; &lt;script&gt;alert(1)&lt;/script&gt;"

MANY = """
    with o as (
        insert into organisation (kind, parent_id, name, name_key)
        select 'partner', %s, 'Partner ' || n, 'partner ' || n from generate_series(1, %s) n returning id
    ), p as (
        insert into partner (id, distributor_id, contract_id, allocated_capacity)
        select id, %s, %s, 0 from o returning id
    )
    select count(*) from p"""


@pytest.fixture
async def viewer(client: AppClient) -> Browser:
    return await client.sign_in(client.cast.operator, Role.VIEWER)


async def hostile(client: AppClient) -> tuple[str, Actor, Actor, int]:
    """A word that all names contain, and a distributor, a partner and an account under one contract."""
    cast, word = client.cast, uuid4().hex
    region = await cast.region()
    name = f"{HOSTILE} {word}"
    distributor = await cast.distributor(name)
    contract = await cast.contract(distributor, 10 * TB, details=name)
    partner = await cast.partner(distributor, contract, 5 * TB, name=name)
    return word, distributor, partner, await cast.account(partner, TB, name=name, region=region)


def rows_of(file: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.removeprefix("\ufeff"))))


@pytest.mark.parametrize("what", ["distributors", "contracts", "partners", "accounts"])
async def test_a_file_has_what_the_list_has_and_is_harmless(client: AppClient, viewer: Browser, what: str) -> None:
    word, *_ = await hostile(client)
    listed = await viewer.get(f"/operator/{what}?q={word}")
    assert f"{ESCAPED} {word}" in listed.text
    assert "<script>alert" not in listed.text
    assert "1 to 1 of 1" in listed.text
    assert f"/operator/{what}.csv?q={word}" in listed.text
    file = await viewer.get(f"/operator/{what}.csv?q={word}")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = rows_of(file.text)
    assert len(header) == len(row)
    assert row[0] == f"'{HOSTILE} {word}"
    assert not [cell for cell in row if cell.startswith("=")]


@pytest.mark.parametrize("what", ["distributors", "contracts", "partners", "accounts", "members"])
async def test_a_list_without_anything_says_so(viewer: Browser, what: str) -> None:
    listed = await viewer.get(f"/operator/{what}?q={uuid4().hex}")
    assert listed.status_code == 200
    assert f"No matching {'storage accounts' if what == 'accounts' else what}" in listed.text


@pytest.mark.parametrize("what", ["distributors", "contracts", "partners", "accounts", "members", "jobs"])
async def test_forged_cursors_and_old_page_numbers_are_the_first_page(viewer: Browser, what: str) -> None:
    def shown(page: str) -> str:
        return page.partition('id="list"')[2]

    first = shown((await viewer.get(f"/operator/{what}")).text)
    for query in ("after=!", "before=" + "MQ" * 3000, "after=MQ.MQ", "after=bm9uZQ", "before=%00", "page=3", "page=x"):
        answer = await viewer.get(f"/operator/{what}?{query}")
        assert answer.status_code == 200
        assert shown(answer.text) == first, query


@pytest.mark.parametrize("what", ["distributors", "contracts", "partners", "accounts"])
async def test_a_file_of_any_page_is_whole(client: AppClient, viewer: Browser, what: str) -> None:
    word, *_ = await hostile(client)
    for position in ("page=last", "after=MA", "before=MA"):
        file = await viewer.get(f"/operator/{what}.csv?q={word}&{position}")
        assert len(rows_of(file.text)) == 2


async def test_a_file_is_in_the_order_of_the_list(client: AppClient, viewer: Browser) -> None:
    word = uuid4().hex
    for letter in "bca":
        await client.cast.distributor(f"{letter} {word}")
    _, *rows = rows_of((await viewer.get(f"/operator/distributors.csv?q={word}&sort=name.desc")).text)
    assert [row[0][0] for row in rows] == ["c", "b", "a"]
    page = (await viewer.get(f"/operator/distributors?q={word}&sort=name.desc")).text
    assert page.index(f"c {word}") < page.index(f"b {word}") < page.index(f"a {word}")


async def test_partners_of_one(client: AppClient, viewer: Browser) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    one, other = await cast.contract(distributor), await cast.contract(distributor)
    names = [unique("Partner"), unique("Partner")]
    for contract, name in zip((one, other), names, strict=True):
        await cast.partner(distributor, contract, name=name)
    for query, shown in (
        (f"distributor={distributor.organisation_id}", [True, True]),
        (f"contract={one}", [True, False]),
    ):
        for path in ("/operator/partners", "/operator/partners.csv"):
            text = (await viewer.get(f"{path}?{query}")).text
            assert [name in text for name in names] == shown
    assert names[0] not in (await viewer.get(f"/operator/partners?contract={NOBODY}")).text


async def test_a_partner_and_an_account_to_look_at(client: AppClient, viewer: Browser) -> None:
    word, distributor, partner, account = await hostile(client)
    cast = client.cast
    await record(cast, (account, cast.now, TB // 2), now=cast.now)
    page = await viewer.get(f"/operator/partners/{partner.organisation_id}")
    assert f"{ESCAPED} {word}" in page.text
    assert "500\N{NARROW NO-BREAK SPACE}GB" in page.text
    assert f"/operator/distributors/{distributor.organisation_id}" in page.text
    file = await viewer.get(f"/operator/partners/{partner.organisation_id}/usage.csv")
    days = rows_of(file.text)
    assert days[-1] == [str(cast.now.date()), str(TB // 4), str(5 * TB), "0"], "measured at noon"
    of_partner = await viewer.get(f"/operator/accounts?partner={partner.organisation_id}")
    assert f"Partner: {ESCAPED} {word}" in of_partner.text
    assert str(account) in of_partner.text
    facts = await viewer.get(f"/operator/accounts/{account:012}")
    assert f"{ESCAPED} {word}" in facts.text
    assert 'method="post" action="/operator' not in facts.text
    assert (await viewer.get(f"/operator/accounts/{account:012}/usage.csv")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "accounts/123",
        "accounts/abc",
        "accounts/1234567890123",
        "accounts/999999999999",
        "accounts/999999999999/usage.csv",
        f"partners/{NOBODY}",
        f"partners/{NOBODY}/usage.csv",
        f"contracts/{NOBODY}",
        f"distributors/{NOBODY}",
        f"members/{NOBODY}",
    ],
)
async def test_unknown_resources_are_not_found(viewer: Browser, path: str) -> None:
    assert (await viewer.get(f"/operator/{path}")).status_code == 404


async def test_pages_of_the_operator_are_not_found_by_others(client: AppClient) -> None:
    other = await client.sign_in(await client.cast.distributor())
    for path in (
        "",
        "/movers",
        "/distributors",
        "/contracts",
        "/partners",
        "/accounts",
        "/regions",
        "/members",
        "/jobs",
    ):
        assert (await other.get(f"/operator{path}")).status_code == 404
    for path in ("jobs/retry", "regions/nowhere/default", "distributors/new"):
        assert (await other.post(f"/operator/{path}")).status_code == 404


async def test_members_of_everybody(client: AppClient, viewer: Browser) -> None:
    distributor = await client.cast.distributor()
    member = await client.sign_in(distributor)
    admin = await client.sign_in(client.cast.operator)
    path = f"/operator/members/{distributor.organisation_id}"
    link = f'href="{path}"'
    assert link in (await viewer.get(f"/operator/members?q={member.email}&show=distributor")).text
    assert link not in (await viewer.get(f"/operator/members?q={member.email}&show=partner")).text
    assert f"{path}/{member.member_id}" not in (await viewer.get(path)).text
    assert f"{path}/{member.member_id}" in (await admin.get(path)).text
    assert (await viewer.get(f"{path}/{member.member_id}")).status_code == 403
    weak = await admin.send(f"{path}/{member.member_id}/password", {"password": "short"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert (await admin.send(f"{path}/{member.member_id}/removal")).status_code == 303
    assert member.email not in (await admin.get(path)).text


async def test_the_overview_counts_partners_with_excess(client: AppClient, viewer: Browser) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    name = unique("<i>Over</i>")
    partner = await cast.partner(distributor, await cast.contract(distributor), TB, name=name, overdraft=True)
    account = await cast.account(partner, TB, overdraft=True, region=await cast.region())
    await record(cast, (account, cast.now, 900 * TB), now=cast.now)
    page = await viewer.get("/operator")
    assert page.status_code == 200
    assert 'href="/operator/partners?show=over&amp;sort=load"' in page.text
    escaped = name.replace("<", "&lt;").replace(">", "&gt;")
    # Over the allocation and among those that grow, each with an action; among the fullest.
    assert page.text.count(f">{escaped}</a>") == 3
    assert "900\N{NARROW NO-BREAK SPACE}TB more in 7 days" in page.text
    assert "<i>Over" not in page.text


async def test_what_takes_long_comes_later_where_there_are_many_partners(
    new_database: Callable[[], AbstractContextManager[str]],
) -> None:
    later = 'hx-get="/operator/regions-today"'
    with new_database() as conninfo:
        async with connect(conninfo) as database, application(conninfo, await Cast.of(database)) as client:
            distributor = await client.cast.distributor()
            owner, contract = distributor.organisation_id, await client.cast.contract(distributor)
            viewer = await client.sign_in(client.cast.operator, Role.VIEWER)
            assert later not in (await viewer.get("/operator")).text
            await client.cast.row(MANY, owner, FEW_PARTNERS, owner, contract)
            assert later not in (await viewer.get("/operator")).text
            await client.cast.partner(distributor, contract)
            assert later in (await viewer.get("/operator")).text
            assert 'id="movers"' in (await viewer.get("/operator/movers")).text
            assert 'id="regions-today"' in (await viewer.get("/operator/regions-today")).text
