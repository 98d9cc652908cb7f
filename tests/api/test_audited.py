"""Every operation that changes something leaves an audit entry of the key that requested it."""

import pytest
from fastapi.routing import APIRoute

from tests.api.changes import CHANGES, prepared
from tests.api.conftest import AccountData, AppClient

pytestmark = pytest.mark.anyio

ENTRIES = "select count(*) from audit_entry where actor_kind = 'key' and actor_organisation_id = %s"


def test_there_are_changes() -> None:
    assert len(CHANGES) >= 20


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.name} {route.path}")
async def test_it_leaves_an_entry(route: APIRoute, client: AppClient, data: AccountData) -> None:
    operation, key = await prepared(route, client, data)
    actor = operation.actor(data, client)
    before = await client.cast.row(ENTRIES, actor.organisation_id)
    answer = await client.call(operation.method, operation.path, key, **operation.more)
    assert answer.status_code < 300, answer.text
    assert await client.cast.row(ENTRIES, actor.organisation_id) > before
