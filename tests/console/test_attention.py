"""Whom to call today: each section as every audience and a stranger see it, with what their role may do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import LiteralString

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Kind, Role
from tonnage.attention.attention import SHOWN
from tonnage.console.attention.sections import SECTIONS
from tonnage.db import Connection

pytestmark = pytest.mark.anyio

HOMES = {Kind.OPERATOR: "/operator", Kind.DISTRIBUTOR: "/distributor", Kind.PARTNER: "/partner"}
OPERATOR, DISTRIBUTOR, PARTNER = Kind.OPERATOR, Kind.DISTRIBUTOR, Kind.PARTNER

ACCOUNT = {
    OPERATOR: "/operator/accounts/{account}",
    DISTRIBUTOR: "/distributor/partners/{partner}/accounts/{account}",
    PARTNER: "/partner/accounts/{account}",
}
PARTNERS = {
    OPERATOR: "/operator/partners/{partner}",
    DISTRIBUTOR: "/distributor/partners/{partner}",
    PARTNER: "/partner/usage",
}
MEMBERS = {OPERATOR: (Role.VIEWER, "/operator/members/{partner}")}
OF_CONTRACT = {
    OPERATOR: (Role.VIEWER, "/operator/members/{distributor}"),
    DISTRIBUTOR: (Role.VIEWER, "/distributor/partners?contract={contract}&sort=used"),
}
ALLOCATION = (Role.STAFF, "/distributor/partners/{partner}/allocation")
LARGEST = (Role.VIEWER, "/partner/accounts?sort=used")
RESIZE = {PARTNER: (Role.STAFF, "/partner/accounts/{account}/settings")}
REGIONS = {OPERATOR: "/operator/regions#region-{region}"}


@dataclass(frozen=True)
class Case:
    """What happens, and in whose section it then is: the page of the thing, and what can be done by whom."""

    section: str
    happens: LiteralString
    paths: Mapping[Kind, str]
    actions: Mapping[Kind, tuple[Role, str]]
    says: str
    """In the reason."""
    seen_by: Role = Role.VIEWER


CASES = [
    Case("over", "update partner set used = 12e12 where id = %(partner)s", PARTNERS,
         {**MEMBERS, DISTRIBUTOR: ALLOCATION, PARTNER: LARGEST}, "2 TB more than its 10 TB"),
    Case("contracts-over", "update contract set used = 150e12 where id = %(contract)s",
         {OPERATOR: "/operator/contracts/{contract}", DISTRIBUTOR: "/distributor/contracts/{contract}"},
         OF_CONTRACT, "50 TB more than its 100 TB"),
    Case("accounts-over", "update account_usage set used = 3e12 where account_id = %(account)s",
         {PARTNER: ACCOUNT[PARTNER]}, RESIZE, "2 TB more than its 1 TB"),
    Case("alerts", """
         insert into alert (organisation_id, partner_id, level, crossed_at, used, capacity)
         select %(partner)s, %(partner)s, level, %(now)s, 9e12, 10e12 from unnest(array[50, 90]) level""",
         PARTNERS, {**MEMBERS, DISTRIBUTOR: ALLOCATION, PARTNER: LARGEST}, "Reached 90 % of its 10 TB"),
    Case("contract-alerts", """
         insert into alert (organisation_id, contract_id, level, crossed_at, used, capacity)
         values (%(distributor)s, %(contract)s, 80, %(now)s, 80e12, 100e12)""",
         {OPERATOR: "/operator/contracts/{contract}", DISTRIBUTOR: "/distributor/contracts/{contract}"},
         OF_CONTRACT, "Reached 80 % of its 100 TB"),
    Case("account-alerts", """
         insert into alert (organisation_id, account_id, level, crossed_at, used, capacity)
         values (%(partner)s, %(account)s, 80, %(now)s, 8e11, 1e12)""",
         {PARTNER: ACCOUNT[PARTNER]}, RESIZE, "Reached 80 % of its 1 TB"),
    Case("growing", "update partner set used = 7e12 where id = %(partner)s",
         {kind: PARTNERS[kind] for kind in (OPERATOR, DISTRIBUTOR)}, {**MEMBERS, DISTRIBUTOR: ALLOCATION},
         "7 TB more in 7 days, now 7 TB"),
    Case("accounts-growing", """
         update account_usage set used = 7e11, rolled_up_to = %(now)s where account_id = %(account)s""",
         {PARTNER: ACCOUNT[PARTNER]}, RESIZE, "700 GB more in 7 days, now 700 GB"),
    Case("full-soon", """
         insert into forecast (account_id, partner_id, contract_id, organisation_id, seller_id, capacity, computed_on,
            earliest, likely, latest)
         select account, partner, contract, %(partner)s, seller, capacity, %(now)s, '2026-04-01', '2026-04-05', null
         from (values
            (%(account)s::bigint, null::uuid, null::uuid, %(partner)s::uuid, 1e12),
            (null, %(partner)s::uuid, null, %(distributor)s::uuid, 10e12),
            (null, null, %(contract)s::uuid, operator_id(), 100e12)
         ) v (account, partner, contract, seller, capacity)""",
         {OPERATOR: "/operator/contracts/{contract}", DISTRIBUTOR: PARTNERS[DISTRIBUTOR], PARTNER: ACCOUNT[PARTNER]},
         {OPERATOR: OF_CONTRACT[OPERATOR], DISTRIBUTOR: ALLOCATION, **RESIZE},
         "are full on 1 Apr 2026 at the earliest, likely on 5 Apr 2026"),
    Case("deletions", """
         update storage_account set deletion_requested_at = %(now)s, pending_deleted_at = '2026-05-05'
         where id = %(account)s""",
         ACCOUNT, {**MEMBERS, **{kind: (Role.STAFF, ACCOUNT[kind] + "/restore") for kind in (DISTRIBUTOR, PARTNER)}},
         "Will be deleted on 5 May 2026"),
    Case("rejected", """
         with r as (
            update region set backend = 'ceph', admin_url = 'http://rgw.invalid', connected_at = %(now)s
            where id = (select region_id from storage_account where id = %(account)s))
         update storage_account set rejected_revision = desired_revision, rejection_reason = 'Too large'
         where id = %(account)s""",
         {OPERATOR: ACCOUNT[OPERATOR]}, {OPERATOR: (Role.VIEWER, "/operator/partners/{partner}")},
         "refuses it: Too large"),
    Case("clusters", """
         update region set unhealthy_reason = 'No answer', unhealthy_since = %(now)s where id = %(region)s""",
         REGIONS, {OPERATOR: (Role.VIEWER, REGIONS[OPERATOR])}, "No answer"),
    Case("drift", """
         insert into drift (region_id, subject, description, found_at)
         select %(region)s, n::text, 'Differs', %(now)s from generate_series(1, 2) n""",
         REGIONS, {OPERATOR: (Role.VIEWER, REGIONS[OPERATOR])}, "2 differences to decide"),
    Case("webhooks", """
         update webhook_endpoint set disabled_at = %(now)s, disabled_reason = 'failing' where id = %(webhook)s""",
         {DISTRIBUTOR: "/webhooks/{webhook}"}, {DISTRIBUTOR: (Role.ADMIN, "/webhooks/{webhook}")},
         "no events arrive", Role.ADMIN),
    Case("keys", """
         update api_key set valid_until = %(now)s::timestamptz + interval '20 days'
         where organisation_id = %(distributor)s""",
         {DISTRIBUTOR: "/keys"}, {DISTRIBUTOR: (Role.ADMIN, "/keys/new")}, "Expires at", Role.ADMIN),
]  # fmt: skip


@dataclass
class Readers:
    client: AppClient
    data: AccountData
    ids: dict[str, object]

    def actor(self, kind: Kind) -> Actor:
        return {OPERATOR: self.client.cast.operator, DISTRIBUTOR: self.data.distributor, PARTNER: self.data.partner}[
            kind
        ]

    async def page(self, kind: Kind, role: Role) -> str:
        browser = await self.client.sign_in(self.actor(kind), role)
        found = await browser.get(HOMES[kind])
        assert found.status_code == 200
        return found.text

    async def happens(self, statement: LiteralString) -> None:
        async def change(conn: Connection) -> None:
            await conn.execute(statement, self.ids)

        await self.client.cast.database.run(change)


@pytest.fixture
async def readers(client: AppClient, data: AccountData) -> Readers:
    (region,) = await client.cast.row("select region_id from storage_account where id = %s", data.account)
    return Readers(
        client,
        data,
        {
            "distributor": data.distributor.organisation_id,
            "partner": data.partner.organisation_id,
            "contract": data.contract,
            "account": data.account,
            "region": region,
            "webhook": data.webhook.id,
            "now": client.cast.now,
        },
    )


def section_of(page: str, name: str) -> str:
    """Its HTML; "" if the page has none."""
    found = re.search(rf'<section class="panel" aria-labelledby="today-{name}">.*?</section>', page, re.DOTALL)
    return unescape(found[0]).replace("\N{NARROW NO-BREAK SPACE}", " ") if found else ""


async def whole(browser: Browser, name: str) -> str:
    """The page of the section with all its rows: others' things may push them from the start page."""
    found = await browser.get(f"/today/{name}")
    return unescape(found.text).replace("\N{NARROW NO-BREAK SPACE}", " ") if found.status_code == 200 else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.section)
async def test_a_section_has_what_its_readers_act_on(case: Case, readers: Readers) -> None:
    await readers.happens(case.happens)
    for kind in Kind:
        for role in Role:
            browser = await readers.client.sign_in(readers.actor(kind), role)
            shown = await whole(browser, case.section)
            path = case.paths.get(kind, "").format(**readers.ids)
            if not path or not role.includes(case.seen_by):
                assert case.says not in shown, (kind, role)
                continue
            assert case.says in shown, (kind, role)
            assert f'href="{path}"' in shown
            assert (await browser.get(path)).status_code == 200
            least, action = case.actions.get(kind, (Role.ADMIN, ""))
            action = action.format(**readers.ids)
            assert (f'class="button" href="{action}"' in shown) == (bool(action) and role.includes(least)), (kind, role)
            if action and role.includes(least):
                assert (await browser.get(action)).status_code in {200, 303}
    for stranger in await strangers(readers.client):
        browser = await readers.client.sign_in(stranger)
        assert case.says not in await whole(browser, case.section)
        assert not section_of((await browser.get(HOMES[stranger.kind])).text, case.section)


async def strangers(client: AppClient) -> list[Actor]:
    distributor = await client.cast.distributor()
    return [distributor, await client.cast.partner(distributor, await client.cast.contract(distributor))]


def test_every_section_has_a_case() -> None:
    assert {case.section for case in CASES} | {"sold", "bought"} == {section.name for section in SECTIONS}


async def test_statements_are_called_for_on_both_sides(readers: Readers) -> None:
    statement, clock = readers.data.statement, readers.client.clock  # due in two days
    for kind, section in ((DISTRIBUTOR, "sold"), (PARTNER, "bought")):
        for role in Role:
            shown = section_of(await readers.page(kind, role), section)
            assert f'href="/statements/{statement}"' in shown
            may_pay = kind is DISTRIBUTOR and role is Role.ADMIN
            assert (f'href="/statements/{statement}/payment"' in shown) == may_pay
    stranger_pages = [
        (await (await readers.client.sign_in(stranger)).get(HOMES[stranger.kind])).text
        for stranger in await strangers(readers.client)
    ]
    assert not [page for page in stranger_pages if str(statement) in page]
    clock.now -= timedelta(days=6)
    assert str(statement) not in await readers.page(DISTRIBUTOR, Role.ADMIN)
    clock.now += timedelta(days=9)
    late = await readers.client.sign_in(readers.data.partner, Role.VIEWER, "Late")
    assert "was due on" in section_of((await late.get("/partner")).text, "bought")


async def test_a_section_is_short_and_leads_to_all_rows(readers: Readers) -> None:
    cast, data = readers.client.cast, readers.data
    for number in range(SHOWN + 2):
        account = await cast.account(data.partner, 10**9, name=f"Full {number}")
        await cast.row("update account_usage set used = 2e9 where account_id = %s returning 1", account)
    shown = section_of(await readers.page(PARTNER, Role.VIEWER), "accounts-over")
    assert shown.count("<li>") == SHOWN
    assert f"All {SHOWN + 2}" in shown
    path = "/partner/accounts?show=over&sort=load"
    assert f'href="{path}"' in shown
    browser = await readers.client.sign_in(data.partner, Role.VIEWER)
    assert (await browser.get(path)).text.count(">Full ") == SHOWN + 2


async def test_who_has_nothing_to_do_learns_what_was_looked_at(client: AppClient) -> None:
    for stranger in await strangers(client):
        page = (await (await client.sign_in(stranger, Role.VIEWER)).get(HOMES[stranger.kind])).text
        assert "Nothing needs you today." in page
        assert "Waiting for deletion" in page
        assert "API keys about to expire" not in page  # which viewers do not see
        assert 'class="calls"' not in page


async def test_pay_per_use_is_over_nothing(readers: Readers) -> None:
    await readers.happens("update partner set allocated_capacity = 0, used = 9e15 where id = %(partner)s")
    await readers.happens("update storage_account set allocated_capacity = 0 where id = %(account)s")
    await readers.happens("update account_usage set used = 9e15 where account_id = %(account)s")
    for kind, name in ((DISTRIBUTOR, "over"), (PARTNER, "over"), (PARTNER, "accounts-over")):
        assert not section_of(await readers.page(kind, Role.ADMIN), name)


async def test_the_operator_sees_what_is_free_beside_what_is_sold(readers: Readers) -> None:
    cast = readers.client.cast
    admin = await readers.client.sign_in(cast.operator)
    name = await cast.region()
    account = await cast.account(readers.data.partner, 3 * TB, region=name)
    path = f"/operator/regions/{name}/capacity"

    async def row(used: str) -> str:
        await cast.row("update account_usage set used = %s::numeric where account_id = %s returning 1", used, account)
        shown = (await admin.get("/operator/regions-today")).text.replace("\N{NARROW NO-BREAK SPACE}", " ")
        return shown[shown.index(f">{name}</a>") :].partition("</tr>")[0]

    assert "Not stated" in await row("5e11")
    assert (await admin.send(path, {"capacity": "0", "capacity_unit": "TB"})).status_code == 422
    assert (await admin.send(path, {"capacity": "2", "capacity_unit": "TB"})).status_code == 303
    shown = await row("5e11")
    for text in (">1.5 TB</span>", ">2 TB</span>, stated on", "1 TB sold beyond it"):
        assert text in shown
    assert "1 TB too little" in await row("3e12")
    assert (await admin.get(path)).text.count('value="2"') == 1
    assert (await admin.send(path, {"capacity": "", "capacity_unit": "TB"})).status_code == 303
    assert "Not stated" in await row("0")
    (changes,) = await cast.row(
        "select array_agg(after order by id) from audit_entry where action = %s and subject_id = %s",
        *("region.state-capacity", name),
    )
    assert changes == [{"physicalCapacity": 2 * TB}, None]
    staff = await readers.client.sign_in(cast.operator, Role.STAFF)
    assert (await staff.get(path)).status_code == 403
    assert path not in (await staff.get("/operator/regions-today")).text
