"""Drift of access keys: compares the keys of a region's accounts with those on its cluster."""

from collections.abc import Mapping, Sequence

from tonnage.access.actor import Actor
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import (
    KeyState,
    key_drift,
)
from tonnage.db import Database
from tonnage.provisioning.drift import LEFT, Drift


async def compare_keys(
    database: Database,
    actor: Actor,
    before: Mapping[int, Mapping[str, KeyState]],
    on_cluster: Mapping[int, Sequence[str]],
    *,
    repair: bool,
) -> list[Drift]:
    """The drift of the access keys of some accounts. `repair`: keys that are missing on the cluster are removed here
    too.

    `before`: the keys by account as `keys_of` read them before the cluster was queried. `on_cluster`: the keys by
    account on the cluster.
    """
    drifts = {account: key_drift(before.get(account, {}), keys) for account, keys in on_cluster.items()}
    lost = [(account, key) for account, drift in drifts.items() for key in drift.lost]
    if lost and repair:
        # `mark_lost` leaves out keys that their owner has deleted meanwhile.
        keys = [key for _, key in lost]
        lost = await database.run(access_key_queries.mark_lost, keys, actor.stamp)
    doubtful = [account for account, drift in drifts.items() if drift.unknown]
    # A key that was created after `before` was read is in the database by now.
    after = await database.run(access_key_queries.keys_of, doubtful) if doubtful else {}
    unknown = [(one, key) for one in doubtful for key in drifts[one].unknown if key not in after.get(one, {})]
    return [
        *(Drift(_access_key_subject(*key), "is missing on the cluster", "forgotten", repaired=repair) for key in lost),
        *(Drift(_access_key_subject(*key), "is on the cluster, but not in the database", LEFT) for key in unknown),
    ]


def _access_key_subject(account_id: int, access_key: str) -> str:
    return f"access key {access_key} of storage account {account_id}"
