"""Regions in the operator's console, and which of them is the default."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager

import pytest

from tests.api.conftest import AppClient
from tests.cast import Cast, unique, with_role
from tests.console.browsers import Browser
from tonnage.access.actor import Role
from tonnage.db import Connection, connect
from tonnage.errors import Conflict, Forbidden, NotFound
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_queries import drift_rows, save_result
from tonnage.regions.actions import make_default
from tonnage.regions.lists import region_choices

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(client: AppClient) -> Browser:
    return await client.sign_in(client.cast.operator)


@pytest.fixture
async def own_database(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Cast]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            yield await Cast.of(database)


def region(name: str) -> dict[str, str]:
    return {"name": name, **{kind: f"https://{kind}.example.org" for kind in ("s3", "iam", "sts")}}


async def defaults(cast: Cast) -> list[str]:
    return [one.name for one in await cast.database.run(region_choices) if one.is_default]


async def test_a_region_is_added_and_removed(client: AppClient, admin: Browser) -> None:
    name = unique("r").replace(" ", "")
    added = await admin.send("/operator/regions/new", region(name))
    assert (added.status_code, added.headers["location"]) == (303, "/operator/regions")
    assert f"tonnage region connect {name}" in (await admin.get("/operator/regions")).text
    again = await admin.send("/operator/regions/new", region(name))
    assert again.status_code == 409
    assert 'id="name-error"' in again.text
    assert f'value="{name}"' in again.text
    removed = await admin.send(f"/operator/regions/{name}/removal")
    assert removed.status_code == 303
    assert name not in [one.name for one in await client.cast.database.run(region_choices)]


async def test_a_refused_region_keeps_what_was_typed(admin: Browser) -> None:
    refused = await admin.send("/operator/regions/new", {**region("No Name"), "s3": "ftp://disk", "iam": ""})
    assert refused.status_code == 422
    for field in ("name", "s3", "iam"):
        assert f'id="{field}-error"' in refused.text
    assert 'value="No Name"' in refused.text
    assert 'value="ftp://disk"' in refused.text


async def test_a_region_with_accounts_stays(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    name = await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    await cast.account(partner, region=name)
    asked = await admin.get(f"/operator/regions/{name}/removal")
    assert "it has storage accounts (1)" in asked.text
    assert "Remove region</button>" not in asked.text
    refused = await admin.post(f"/operator/regions/{name}/removal")
    assert refused.status_code == 409
    assert "Delete them first" in refused.text


async def test_the_default_is_chosen(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    _, other = await cast.region(), await cast.region()
    (before,) = await defaults(cast)
    chosen = await admin.post(f"/operator/regions/{other}/default")
    assert (chosen.status_code, await defaults(cast)) == (303, [other])
    query = "select before, after, actor_kind from audit_entry where action = 'region.default' and subject_id = %s"
    entry = await cast.row(query, other)
    assert entry == ({"default": before}, {"default": other}, "member")
    assert "oldest of the others" in (await admin.get(f"/operator/regions/{other}/removal")).text
    await cast.database.run(make_default, cast.operator, before)
    assert await defaults(cast) == [before]


async def test_who_may_choose_the_default_and_what_there_is_to_choose(own_database: Cast) -> None:
    await own_database.region("west")
    await own_database.database.run(make_default, own_database.operator, "west")
    (entries,) = await own_database.row("select count(*) from audit_entry where action = 'region.default'")
    assert (entries, await defaults(own_database)) == (0, ["west"])  # as it was
    with pytest.raises(NotFound):
        await own_database.database.run(make_default, own_database.operator, "east")
    with pytest.raises(Forbidden):
        await own_database.database.run(make_default, with_role(own_database.operator, Role.STAFF), "west")


async def test_two_choices_at_once_leave_one_default(own_database: Cast) -> None:
    for name in ("west", "east", "south"):
        await own_database.region(name)

    async def choose(name: str) -> str | None:
        try:
            await own_database.database.run(make_default, own_database.operator, name)
        except Conflict:
            return None
        return name

    for _ in range(10):
        chosen = await asyncio.gather(choose("east"), choose("south"), choose("west"))
        (default,) = await defaults(own_database)
        assert default in chosen


async def test_drift_for_the_operator_to_resolve(own_database: Cast) -> None:
    for name in ("west", "east"):
        await own_database.region(name)
    hostile = Drift("7", "is <b>there</b>", "")

    async def found(conn: Connection) -> None:
        for region_id, findings in ((1, [hostile]), (2, [Drift("8", "is away", "")])):
            await save_result(conn, region_id, 1, 0, findings, own_database.now)

    await own_database.database.run(found)
    rows = await own_database.database.run(drift_rows)
    assert [tuple(row) for row in rows] == [
        ("east", "8", "is away", own_database.now),
        ("west", "7", "is <b>there</b>", own_database.now),
    ]


async def test_a_comparison_is_asked_for_where_there_is_a_cluster(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    name = await cast.region()
    metered = await admin.post(f"/operator/regions/{name}/reconcile")
    assert metered.status_code == 404
    assert "no cluster" in metered.text
    (region_id,) = await cast.row(
        "update region set backend = 'ceph', admin_url = 'http://rgw.invalid', connected_at = %s where name = %s"
        " returning id",
        cast.now,
        name,
    )
    assert (await admin.post(f"/operator/regions/{name}/reconcile")).status_code == 303
    comparing = "task_name = 'provisioning.full_reconcile' and args->>'subject' = %s"
    asked = f"select count(*) from procrastinate_jobs where {comparing}"
    assert await cast.row(asked, str(region_id)) == (1,)
    assert (await admin.get(f"/operator/regions/{name}/removal")).status_code == 200
    assert (await admin.send(f"/operator/regions/{name}/removal")).status_code == 303


async def test_unknown_regions(admin: Browser) -> None:
    for path in ("removal", "reconcile", "default"):
        assert (await admin.post(f"/operator/regions/nowhere/{path}")).status_code == 404
    assert (await admin.get("/operator/regions/nowhere/removal")).status_code == 404
