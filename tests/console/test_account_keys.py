"""Access keys through the console, on a real gateway."""

import html
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.ceph_client import ClusterClient, on_cluster
from tonnage.access.actor import Role
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.regions import queries as regions
from tonnage.storage.backend import MAX_ACCESS_KEYS

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as client:
            yield client


def shown(page: str, id: str) -> str:
    found = re.search(rf'<code id="{id}"[^>]*>([^<]+)</code>', page)
    assert found
    return html.unescape(found[1])


async def test_a_key_is_made_used_and_deleted(client: ClusterClient) -> None:
    data = await client.data()
    browser = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/access-keys"
    assert "No access keys yet" in (await browser.get(path)).text
    made = await browser.send(f"{path}/new", {"description": "Backup <server>"})
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    access_key, secret = shown(made.text, "access-key"), shown(made.text, "secret-key")
    with client.customer(access_key, secret) as customer:
        assert customer.attempt("list_buckets") == "done"
        listed = await browser.get(path)
        assert access_key in listed.text
        assert "Backup &lt;server&gt;" in listed.text
        assert secret not in listed.text
        asked = await browser.get(f"{path}/{access_key}/delete")
        assert "Backup &lt;server&gt;" in asked.text
        assert (await browser.send(f"{path}/{access_key}/delete")).status_code == 303
        assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    assert (await browser.get(f"{path}/{access_key}/delete")).status_code == 404


async def test_ten_are_the_most(client: ClusterClient) -> None:
    data = await client.data()
    browser = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/access-keys"
    now, stamp = client.clock.now, client.cast.operator.stamp
    for key in [new_access_key() for _ in range(MAX_ACCESS_KEYS)]:
        await client.database.run(access_key_queries.insert_key, data.account, key, None, now)
        await client.database.run(access_key_queries.activate_key, data.account, key, now, stamp)
    listed = await browser.get(path)
    assert "the maximum of 10 access keys" in listed.text
    assert f"{path}/new" not in listed.text
    refused = await browser.send(f"{path}/new", {"description": "Eleventh"})
    assert refused.status_code == 409
    assert 'value="Eleventh"' in refused.text


async def test_an_unusable_cluster_is_shown_without_details(client: ClusterClient) -> None:
    data = await client.data()
    browser = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/access-keys"
    access_key = shown((await browser.send(f"{path}/new")).text, "access-key")
    for cluster in await client.database.run(regions.clusters):
        await client.database.run(regions.set_identity_unverified, cluster, "Look into /etc/secret.")
    away = [
        await browser.send(f"{path}/new", {"description": "Backup server"}),
        await browser.send(f"{path}/{access_key}/delete"),
    ]
    for page in away:
        assert page.status_code == 503
        assert "Contact the operator" in page.text
        assert "/etc/secret" not in page.text
    assert 'value="Backup server"' in away[0].text
    assert "Being deleted" in (await browser.get(path)).text
