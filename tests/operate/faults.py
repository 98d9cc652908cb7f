"""What can happen to a database cluster. Each function returns when it has mended what it broke."""

import time
from collections.abc import Callable

from tests.operate.drill import System

MINUTE = 60.0


def postmaster_killed(system: System) -> None:
    """Its agent starts the server again, or another node takes over."""
    system.cluster.leader().kill_postmaster()


def node_killed(system: System) -> None:
    """The leading server with its agent; both come back when another one leads."""
    leader = system.cluster.leader()
    leader.kill()
    system.cluster.other_leader(leader)
    system.cluster.start(leader)


def switched_over(system: System) -> None:
    """As for maintenance."""
    system.cluster.switch_over()


def frozen(seconds: float) -> Callable[[System], None]:
    """The leading server stops, as with a stalled disk, at least so long and until another one leads."""

    def freeze(system: System) -> None:
        leader = system.cluster.leader()
        thaw_at = time.monotonic() + seconds
        leader.freeze()
        try:
            system.cluster.other_leader(leader)
            time.sleep(max(0.0, thaw_at - time.monotonic()))
        finally:
            leader.thaw()

    return freeze


def in_turn(*faults: Callable[[System], None]) -> Callable[[System], None]:
    """Each when the cluster is complete again after the one before."""

    def all_of_them(system: System) -> None:
        for fault in faults:
            fault(system)
            system.cluster.await_complete()

    return all_of_them


def etcd_away(system: System) -> None:
    """For a minute."""
    system.cluster.etcd.kill()
    time.sleep(MINUTE)
    system.cluster.etcd.start()


def everything(system: System) -> None:
    """Both standbys stop, so that writes wait for them; then the leader, etcd and the worker of jobs are killed."""
    cluster, leader = system.cluster, system.cluster.leader()
    standbys = cluster.standbys()
    for standby in standbys:
        standby.freeze()
    time.sleep(3)
    leader.kill()
    cluster.etcd.kill()
    system.installation.kill_worker()
    time.sleep(20)
    cluster.etcd.start()
    system.installation.start_worker()
    for standby in standbys:
        standby.thaw()
    cluster.other_leader(leader)
    cluster.start(leader)
