"""Drift of access keys: compares the keys of a region's accounts with those on its cluster."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tonnage.access.actor import Actor
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import (
    KeyState,
    key_drift,
)
from tonnage.db import Database
from tonnage.provisioning.drift import LEFT, Drift, access_key_subject


async def compare_keys(
    database: Database,
    actor: Actor,
    before: Mapping[int, Mapping[str, KeyState]],
    on_cluster: Mapping[int, Sequence[str]],
    *,
    repair: bool,
    found_at: datetime | None = None,
) -> list[Drift]:
    """The drift of the access keys of some accounts. `repair`: keys that are missing on the cluster are removed here
    too. `found_at`: keys that are unknown here are recorded with this time, so that their account lists them; None:
    they are only reported.

    `before`: the keys by account as `keys_of` read them before the cluster was queried. `on_cluster`: the keys by
    account on the cluster.
    """
    drifts = {account: key_drift(before.get(account, {}), keys) for account, keys in on_cluster.items()}
    lost = [(account, key) for account, drift in drifts.items() for key in drift.lost]
    if lost and repair:
        # `mark_lost` leaves out keys that their owner has deleted meanwhile.
        lost = await database.run(access_key_queries.mark_lost, lost, actor.stamp)
    doubtful = [account for account, drift in drifts.items() if drift.unknown]
    # A key that was created after `before` was read is in the database by now.
    after = await database.run(access_key_queries.keys_of, doubtful) if doubtful else {}
    unknown = {(one, key) for one in doubtful for key in drifts[one].unknown if key not in after.get(one, {})}
    if unknown and found_at:
        await database.run(access_key_queries.record_found, sorted(unknown), found_at, actor.stamp)
    there = {(account, key) for account, keys in on_cluster.items() for key in keys}
    unknown |= there.intersection(await database.run(access_key_queries.found_keys, list(on_cluster)))
    return [
        *(Drift(access_key_subject(*key), "is missing on the cluster", "forgotten", repaired=repair) for key in lost),
        *(Drift(access_key_subject(*key), "was not created here", LEFT) for key in sorted(unknown)),
    ]
