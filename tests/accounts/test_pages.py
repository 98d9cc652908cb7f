"""Lists of storage accounts: search, filters, sort orders, paging and scope; the facts of one account."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast
from tests.list_pages import walk
from tests.usage.steps import OPENED, TODAY, at, purge, record
from tonnage.access.actor import Actor
from tonnage.accounts import actions, change_actions
from tonnage.accounts.account_queries import account_detail
from tonnage.accounts.lists import OWN_ACCOUNTS, AccountRow, account_rows, every_account
from tonnage.lists import ListState, PageOf
from tonnage.web.list_state import read_list_state

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@dataclass(frozen=True)
class PartnerData:
    distributor: Actor
    partner: Actor
    region: str

    @property
    def own(self) -> UUID:
        return self.partner.organisation_id


@pytest.fixture
async def data(cast: Cast) -> PartnerData:
    cast.now = OPENED
    region = await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    return PartnerData(distributor, partner, region)


async def asked(cast: Cast, scope: UUID | None, partner: UUID | None = None, **query: str) -> PageOf[AccountRow]:
    return await read(cast, scope, partner, read_list_state(OWN_ACCOUNTS, query))


async def read(cast: Cast, scope: UUID | None, partner: UUID | None, state: ListState) -> PageOf[AccountRow]:
    """One page; also checks that the whole list, row by row, has the same rows there."""
    found = await cast.database.run(account_rows, scope, partner, state, TODAY)
    async with cast.database.streams.connection() as conn:
        whole = [row async for row in every_account(conn, scope, partner, state, TODAY)]
    assert len(whole) == found.total
    assert whole[found.preceding : found.preceding + len(found.rows)] == found.rows
    return found


def names(found: PageOf[AccountRow]) -> list[str]:
    return [row.name for row in found.rows]


async def test_an_accounts_row_and_facts(cast: Cast, data: PartnerData) -> None:
    account = await cast.account(data.partner, 2 * TB, overdraft=True, region=data.region)
    await record(cast, (account, at("2026-01-06"), 3 * TB))
    (row,) = (await asked(cast, data.own, data.own)).rows
    name, email, partner, distributor = await cast.row(
        "select s.name, s.contact_email, o.name, d.name from storage_account s"
        " join organisation o on o.id = s.partner_id join organisation d on d.id = o.parent_id where s.id = %s",
        account,
    )
    assert row == AccountRow(
        account, name, email, data.own, partner, distributor, data.region, 2 * TB, True, 3 * TB,
        None, OPENED, None, "normal", None, None, "metered", None, None, False, None,
    )  # fmt: skip
    facts = await cast.database.run(account_detail, data.own, data.own, account)
    assert facts is not None
    assert facts.s3_url == "https://s3.example.org"
    assert {field: value for field, value in facts._asdict().items() if field in row._fields} == {
        field: value for field, value in row._asdict().items() if field in facts._fields
    }
    assert (facts.is_being_purged, facts.suspended_at, facts.rejection_reason, facts.access_keys) == (
        False,
        None,
        None,
        0,
    )


async def test_scheduled_and_suspended_accounts(cast: Cast, data: PartnerData) -> None:
    late, soon, held, gone = [await cast.account(data.partner, name=name) for name in ("late", "soon", "held", "gone")]
    for account, days in ((late, 30), (soon, 20)):
        await cast.database.run(actions.delete_account, data.partner, data.own, account, days, OPENED)
    await cast.database.transaction(change_actions.suspend_account, data.partner, data.own, held, "unpaid", OPENED)
    await purge(cast, data.partner, gone, at("2026-01-08"))
    waiting = await asked(cast, data.own, data.own, show="deletion", sort="deletion")
    assert [(row.name, row.pending_deleted_at) for row in waiting.rows] == [
        ("soon", OPENED + timedelta(days=20)),
        ("late", OPENED + timedelta(days=30)),
    ]
    assert names(await asked(cast, data.own, data.own, show="suspended")) == ["held"]
    assert names(await asked(cast, data.own, data.own, sort="deletion")) == ["soon", "late", "held"]
    facts = await cast.database.run(account_detail, data.own, data.own, held)
    assert facts is not None
    assert (facts.suspended_at, facts.suspension_reason) == (OPENED, "unpaid")
    assert await cast.database.run(account_detail, data.own, data.own, gone) is None


async def test_pages_of_equal_rows_miss_and_repeat_nothing(cast: Cast, data: PartnerData) -> None:
    made = [await cast.account(data.partner, name="same") for _ in range(53)]
    for sort in OWN_ACCOUNTS.sorts:
        for way, expected in ((".asc", made), (".desc", made[::-1])):
            seen: list[int] = []
            state = read_list_state(OWN_ACCOUNTS, {"sort": sort + way, "size": "25"})
            async for found in walk(state, partial(read, cast, data.own, data.own)):
                assert found.preceding == len(seen)
                seen += [row.id for row in found.rows]
            assert sorted(seen) == sorted(made)
            if sort in {"name", "used", "objects"}:  # of equal rows by number
                assert seen == sorted(made, reverse=way == ".desc")
            elif sort != "email":
                assert seen == expected
    last = await asked(cast, data.own, data.own, sort="created.asc", size="25", page="last")
    assert [row.id for row in last.rows] == made[50:]


async def test_sorts_and_filters(cast: Cast, data: PartnerData) -> None:
    most = 2**63 - 1000  # the sum of a partner's allocations must stay a bigint
    sizes = {"b": (100, 90), "A": (100, 101), "c": (0, 5), "d": (most, most), "e": (100, 89)}
    for name, (allocated, used) in sizes.items():
        await record(cast, (await cast.account(data.partner, allocated, name=name), at("2026-01-06"), used))
    for query, expected in {
        "sort=name": "Abcde",
        "sort=used": "dAbec",
        "sort=load": "Adbec",
        "sort=allocated.asc": "cbAed",
        "show=near": "bd",
        "show=over": "A",
        "show=pay-per-use": "c",
        "show=deletion": "",
        "show=suspended": "",
    }.items():
        name, _, value = query.partition("=")
        found = await asked(cast, data.own, data.own, **{"sort": "created.asc", name: value})
        assert "".join(names(found)) == expected, query


async def test_name_email_and_number_are_searched(cast: Cast, data: PartnerData) -> None:
    made = {name: await cast.account(data.partner, name=name) for name in ("100% Öl", "a_b", "back\\slash", "🚢 'x'")}
    for words, expected in {"%": "100% Öl", "öl": "100% Öl", "_": "a_b", "\\": "back\\slash", "🚢": "🚢 'x'"}.items():
        assert names(await asked(cast, data.own, data.own, q=words)) == [expected]
    for name, account in made.items():
        assert names(await asked(cast, data.own, data.own, q=str(account)[2:])) == [name]
        (email,) = await cast.row("select contact_email from storage_account where id = %s", account)
        assert names(await asked(cast, data.own, data.own, q=email[:20].upper())) == [name]
    assert names(await asked(cast, data.own, data.own, q="@EXAMPLE.org", sort="name")) == sorted(made)
    assert names(await asked(cast, data.own, data.own, q="' or true --")) == []


async def test_scopes(cast: Cast, data: PartnerData) -> None:
    word = uuid4().hex
    sibling = await cast.partner(data.distributor, await cast.contract(data.distributor))
    rival = await cast.distributor()
    foreign = await cast.partner(rival, await cast.contract(rival))
    mine, theirs, far = [await cast.account(owner, name=word) for owner in (data.partner, sibling, foreign)]

    async def ids(scope: UUID | None, partner: UUID | None = None) -> set[int]:
        return {row.id for row in (await asked(cast, scope, partner, q=word)).rows}

    distributor = data.distributor.organisation_id
    assert await ids(None) == {mine, theirs, far}
    assert await ids(None, foreign.organisation_id) == {far}
    assert await ids(distributor) == {mine, theirs}
    assert await ids(distributor, data.own) == {mine}
    assert await ids(data.own) == await ids(data.own, data.own) == {mine}
    assert await ids(data.own, sibling.organisation_id) == set()
    assert await ids(distributor, foreign.organisation_id) == set()
    assert await ids(uuid4()) == await ids(uuid4(), data.own) == set()
    assert await cast.database.run(account_detail, distributor, data.own, mine)
    for scope, partner in ((sibling.organisation_id, data.own), (distributor, sibling.organisation_id)):
        facts = await cast.database.run(account_detail, scope, partner, mine)
        assert facts is None
