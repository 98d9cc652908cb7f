"""Audited actions on customers' access keys, which need a cluster."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tests.audit.recorded import AuditData, Recorded
from tests.ceph_client import ClusterClient
from tonnage.access_keys import actions as access_key_actions

ClusterCase: TypeAlias = Callable[[ClusterClient, AuditData], Awaitable[Recorded]]


async def _account(client: ClusterClient, data: AuditData) -> int:
    account = await client.cast.account(data.partner)
    await client.provision(account)
    return account


async def _create(client: ClusterClient, data: AuditData, account: int) -> str:
    partner = data.partner.organisation_id
    made = await access_key_actions.create_key(client.services, data.partner, partner, account, "Backup")
    return made.pair.access_key


async def account_create_key(client: ClusterClient, data: AuditData) -> Recorded:
    account = await _account(client, data)
    async with data.watched():
        access_key = await _create(client, data, account)
    return data.entry("account.create-key", data.partner, data.partner, account, after={"accessKey": access_key})


async def account_delete_key(client: ClusterClient, data: AuditData) -> Recorded:
    account, partner = await _account(client, data), data.partner.organisation_id
    access_key = await _create(client, data, account)
    async with data.watched():
        await access_key_actions.delete_key(client.services, data.distributor, partner, account, access_key)
    return data.entry("account.delete-key", data.distributor, data.partner, account, before={"accessKey": access_key})


CASES: list[ClusterCase] = [account_create_key, account_delete_key]
