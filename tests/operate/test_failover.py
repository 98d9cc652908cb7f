"""The short form of the drills, in every test run."""

import pytest

from tests.operate.drill import System
from tests.operate.faults import frozen, in_turn, postmaster_killed, switched_over

pytestmark = [pytest.mark.patroni, pytest.mark.ceph]


def test_no_acknowledged_write_is_lost_and_no_request_hangs(system: System) -> None:
    """A frozen leader that the URL names first is the worst case: it accepts connections and answers nothing."""
    system.installation.run_on(system.cluster.url(system.cluster.leader()))
    result = system.drill(in_turn(frozen(0), postmaster_killed, switched_over))
    assert result.acknowledged > 0
    assert result.outages, "the database itself was away"
