"""`make drills`: every fault, at full length, on one cluster."""

from collections.abc import Callable

import pytest

from tests.operate.conftest import RESULTS
from tests.operate.drill import System
from tests.operate.faults import (
    MINUTE,
    etcd_away,
    everything,
    frozen,
    node_killed,
    postmaster_killed,
    switched_over,
)

pytestmark = [pytest.mark.drill, pytest.mark.patroni, pytest.mark.ceph]

DRILLS: dict[str, tuple[Callable[[System], None], bool]] = {
    "postmaster killed": (postmaster_killed, False),
    "leader killed with its agent": (node_killed, False),
    "switchover": (switched_over, False),
    "leader frozen for a minute": (frozen(MINUTE), False),
    "the same, named first in the URL": (frozen(MINUTE), True),
    "etcd away for a minute": (etcd_away, False),
    "everything at once": (everything, True),
}
"""The fault, and whether the URL names the leader first."""


@pytest.mark.parametrize("name", DRILLS)
def test_no_acknowledged_write_is_lost_and_no_request_hangs(system: System, name: str) -> None:
    fault, leader_first = DRILLS[name]
    leader, (standby, _) = system.cluster.leader(), system.cluster.standbys()
    system.installation.run_on(system.cluster.url(leader if leader_first else standby))
    RESULTS[name] = system.drill(fault)
