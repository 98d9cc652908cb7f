"""A fault under load, and what must hold after every fault."""

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.operate.installation import Installation
from tests.operate.load import KINDS, Record, Reply, load
from tests.operate.patroni import PatroniCluster
from tests.operate.write_probe import WriteProbe

LONGEST_REQUEST = 10.0
LONGEST_AFTER_ELECTION = 10.0
"""Seconds of errors after the database itself takes writes again."""

_PATIENCE = 60.0
_JOBS = 240.0
"""Seconds for each step towards all jobs being done. A killed worker's are taken over after 90, by a job that runs each
minute."""


@dataclass(frozen=True)
class Result:
    """What was measured in a drill that held; times in seconds."""

    acknowledged: int
    """Writes. None of them was lost."""
    longest: float
    """The longest request."""
    outages: Sequence[float]
    """How long the database itself took no writes, each time."""
    unavailable: float
    """From the fault to the last 503."""
    refused: int
    """The number of 503."""
    jobs: float
    """From the end of the load until all jobs were done."""


@dataclass(frozen=True)
class System:
    """All that a drill needs."""

    cluster: PatroniCluster
    installation: Installation
    probe: WriteProbe

    def drill(self, fault: Callable[["System"], None]) -> Result:
        """Has `fault` break and mend something under load; asserts what must hold, and returns what was measured."""
        self.cluster.await_complete()
        with load(self.installation) as record:
            _await(_PATIENCE, "all kinds of requests", lambda: record.succeeded_since(0) == KINDS)
            before = time.monotonic()
            fault(self)
            self.cluster.await_complete()
            _await_success(record)
            outages = self.probe.outages(before)
        stopped = time.monotonic()
        _assert_replies(record, before, outages)
        _assert_kept(record, self.installation)
        self._await_jobs()
        jobs = time.monotonic() - stopped
        self.installation.command("doctor")
        assert not self.installation.ended()
        refused = [reply.ended - before for reply in record.replies if not reply.succeeded]
        return Result(
            acknowledged=len(record.partners) + len(record.accounts),
            longest=max(reply.seconds for reply in record.replies),
            outages=[end - start for start, end in outages],
            unavailable=max(refused, default=0.0),
            refused=len(refused),
            jobs=jobs,
        )

    def _await_jobs(self) -> None:
        waiting = _waiting(self.installation)
        while waiting:
            _await(
                _JOBS,
                f"fewer accounts than {waiting} that are not on the cluster",
                lambda before=waiting: _waiting(self.installation) < before,
                self.installation.condition,
            )
            waiting = _waiting(self.installation)


def _await(
    seconds: float,
    what: str,
    reached: Callable[[], bool],
    condition: Callable[[], str] = lambda: "nothing more is known",
) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s there are not {what}: {condition()}"
        time.sleep(0.1)


def _await_success(record: Record) -> None:
    mended = time.monotonic()
    _await(_PATIENCE, "all kinds of requests", lambda: record.succeeded_since(mended) == KINDS)


def _assert_replies(record: Record, before: float, outages: list[tuple[float, float]]) -> None:
    """Only 503 while no server takes writes and shortly after, each with Retry-After; none takes long."""
    refused = [reply for reply in record.replies if not reply.succeeded]
    allowed = [(start, end + LONGEST_AFTER_ELECTION) for start, end in [(before, before), *outages]]
    _assert_none("that are no 503", [reply for reply in refused if reply.status != 503 or not reply.retry_after])
    _assert_none("that took too long", [reply for reply in record.replies if reply.seconds > LONGEST_REQUEST])
    _assert_none(
        "that failed while the database took writes",
        [reply for reply in refused if not any(start <= reply.ended <= end for start, end in allowed)],
    )


def _assert_none(what: str, replies: list[Reply]) -> None:
    assert not replies, f"{len(replies)} requests {what}, such as {replies[:3]}"


def _assert_kept(record: Record, installation: Installation) -> None:
    partners = _get(installation, installation.distributor_key, f"/v1/contract/{installation.contract}/partners")
    assert set(record.partners) - {partner["id"] for partner in partners} == set()
    accounts = _get(installation, installation.partner_key, "/v1/storage-account/list")
    assert set(record.accounts) - {account["clientAccountId"] for account in accounts} == set()
    (size,) = (partner["allocatedCapacity"] for partner in partners if partner["id"] == installation.partner)
    assert size in record.sizes


def _waiting(installation: Installation) -> int:
    """How many accounts are not yet on the storage cluster as they are in the database, which only jobs bring about."""
    accounts = _get(installation, installation.partner_key, "/ext/v1/storage-account/list")
    return sum(account["provisioning"] != "done" for account in accounts)


def _get(installation: Installation, key: str, path: str) -> Any:
    request = urllib.request.Request(installation.origin + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        return json.load(answer)
