"""A gateway that is unreachable, stalled, misconfigured or failing."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from testbed.gateway import ADMIN, Gateway
from tests.storage.conftest import SHORT_TIMEOUTS
from tests.storage.customer import Customer
from tonnage.clock import WallClock
from tonnage.errors import Unavailable
from tonnage.storage.backend import AccessKey, DesiredAccount
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_check import TESTED
from tonnage.storage.errors import Misconfigured, NotReached

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

ROOT = Path(__file__).parents[2]
WITH_STS = ("--rgw-s3-auth-use-sts=true",)


@asynccontextmanager
async def opened(address: str, access_key: str, secret_key: str) -> AsyncGenerator[CephBackend]:
    backend = CephBackend(address, AccessKey(access_key, secret_key), SHORT_TIMEOUTS)
    yield backend
    await backend.close()


async def test_a_good_region_passes_its_check(gateway: Gateway, backend: CephBackend) -> None:
    report = await backend.check()
    assert (report.reachable, report.credentials, report.problems) == (True, True, ())
    assert report.present == ("users=read", "users=write", "usage=read", "usage=write")
    assert report.missing == ()
    assert report.clock_skew is not None
    assert abs(report.clock_skew) < 2
    facts = dict(report.facts)
    assert facts["release"] == ("Ceph 16 or older" if gateway.release() == "16.2" else "Ceph 17 or newer")
    assert facts["tested with"] == f"Ceph {' and '.join(TESTED)}"
    assert len(report.enforced) == 3


async def test_the_release_of_this_machine_is_among_those_that_the_product_names(gateway: Gateway) -> None:
    assert gateway.release() in TESTED
    guide = (ROOT / "docs" / "operator.md").read_text()
    assert f"tested with Ceph {' and '.join(TESTED)}" in " ".join(guide.split())


@pytest.mark.parametrize("sts", [(), WITH_STS], ids=["without STS", "with STS"])
async def test_wrong_credentials_are_for_the_operator(
    gateway: Gateway, desired: DesiredAccount, sts: tuple[str, ...]
) -> None:
    if sts:
        gateway.restart(*sts)
    try:
        for access_key, secret_key in (("UNKNOWN", "secret"), (gateway.access_key, "secret")):
            async with opened(gateway.address, access_key, secret_key) as backend:
                report = await backend.check()
                assert (report.reachable, report.credentials) == (True, False)
                assert report.problems == ("The cluster refuses the access key or the secret key. Set both again.",)
                for call in (
                    backend.apply(desired),
                    backend.usage(desired.user),
                    backend.purge(desired.user),
                ):
                    with pytest.raises(Misconfigured, match="credentials") as refused:
                        await call
                    assert "secret" not in str(refused.value)
    finally:
        if sts:
            gateway.restart()


@pytest.mark.parametrize(
    ("capabilities", "missing"),
    [
        ("users=read", ("users=write", "usage=read", "usage=write")),
        ("users=*;usage=read", ("usage=write",)),
        ("usage=*", ("users=read", "users=write", "usage=read", "usage=write")),
    ],
)
async def test_missing_capabilities_are_named(gateway: Gateway, capabilities: str, missing: tuple[str, ...]) -> None:
    name = f"caps-{time.monotonic_ns()}"
    key = ("--access-key", name, "--secret-key", "secret")
    # In a tenant of its own, whose bucket nobody else has.
    tenant = ("--tenant", name.replace("-", ""))
    gateway.admin("user", "create", *tenant, "--uid", name, "--display-name", name, "--caps", capabilities, *key)
    async with opened(gateway.address, name, "secret") as backend:
        report = await backend.check()
    assert (report.reachable, report.credentials, report.missing) == (True, True, missing)
    assert all("radosgw-admin caps add" in problem for problem in report.problems)
    assert len(report.problems) == len(missing)


async def test_a_stalled_gateway_is_not_waited_for(
    gateway: Gateway, impatient_backend: CephBackend, desired: DesiredAccount
) -> None:
    await impatient_backend.apply(desired)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: impatient_backend.state(desired.user),
        lambda: impatient_backend.apply(replace(desired, quota=1)),
        lambda: impatient_backend.create_key(desired.user, "STALLEDGATEWAYKEY"),
        lambda: impatient_backend.delete_key(desired.user, "STALLEDGATEWAYKEY"),
    ]
    gateway.stall()
    try:
        for call in calls:
            started = time.monotonic()
            with pytest.raises(Unavailable, match="in time"):
                await call()
            assert time.monotonic() - started < 1.5
        report = await impatient_backend.check()
        assert (report.reachable, len(report.problems)) == (False, 1)
    finally:
        gateway.resume()
    assert await _retried(lambda: impatient_backend.apply(replace(desired, quota=1))) in {("quota",), ()}
    assert await impatient_backend.apply(replace(desired, quota=1)) == ()


async def _retried(call: Callable[[], Awaitable[object]]) -> object:
    """The call's result, as soon as the gateway answers again."""
    for _ in range(50):
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.1)
    return await call()


async def test_creating_a_key_has_its_own_time_limit(gateway: Gateway, desired: DesiredAccount) -> None:
    timeouts = replace(SHORT_TIMEOUTS, read=30, key=0.3)
    backend = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key), timeouts)
    await backend.apply(desired)
    gateway.stall()
    try:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            await backend.create_key(desired.user, "PERSONWAITSFORKEY")
        assert time.monotonic() - started < 1
    finally:
        gateway.resume()
        await backend.close()


async def test_a_gateway_killed_during_calls_and_restarted(
    gateway: Gateway, impatient_backend: CephBackend, desired: DesiredAccount
) -> None:
    accounts = [
        replace(desired, account_id=desired.account_id + n * 2_000_000, email=f"{desired.account_id}-{n}@x.example")
        for n in range(1, 41)
    ]
    work = [asyncio.ensure_future(impatient_backend.apply(account)) for account in accounts]
    await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    gateway.kill()
    try:
        ended = await asyncio.gather(*work, return_exceptions=True)
        assert {type(end) for end in ended} <= {tuple, Unavailable}
        with pytest.raises(Unavailable, match="cannot be reached"):
            await impatient_backend.state(desired.user)
        report = await impatient_backend.check()
        assert (report.reachable, report.credentials) == (False, False)
    finally:
        gateway.start()
    for account in accounts:
        await _retried(lambda account=account: impatient_backend.apply(account))
        assert await impatient_backend.apply(account) == ()


async def test_the_quota_is_enforced_after_a_restart(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 1_000_000) == "done"
    await backend.usage(desired.user)
    gateway.restart()
    assert customer.stores("data", 1, "more") == "QuotaExceeded"
    assert await backend.apply(desired) == ()


@asynccontextmanager
async def gateway_answering(answers: Iterable[tuple[int, bytes]]) -> AsyncGenerator[CephBackend]:
    """A backend whose gateway is a server that gives one answer after the other, a connection for each."""
    remaining = iter(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status, body = next(remaining)
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(f"http://127.0.0.1:{port}", "A", "S") as backend:
        yield backend


BUSY = (503, b'{"Code":"SlowDown"}')
NOBODY = (404, b'{"Code":"NoSuchUser"}')
PAGE = (200, b"<html>Welcome</html>")
RECORD = (
    200,
    b"""{"tenant": "acct_123456789012", "display_name": "", "email": "", "max_buckets": 1, "suspended": 0,
    "op_mask": "read", "keys": [],
    "user_quota": {"enabled": true, "check_on_raw": true, "max_size": 1, "max_objects": -1}}""",
)


async def test_another_servers_answers_are_not_cephs(desired: DesiredAccount) -> None:
    async with gateway_answering(itertools.repeat(PAGE)) as backend:
        with pytest.raises(Misconfigured, match="not a Ceph gateway"):
            await backend.state(desired.user)
        report = await backend.check()
        assert "not a Ceph gateway" in report.problems[-1]


async def test_a_wrong_clock_is_named_and_not_the_credentials(
    gateway: Gateway, desired: DesiredAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime.now(UTC) + timedelta(minutes=20)

    def signed_late(*_: object) -> datetime:
        return late.replace(tzinfo=None)

    monkeypatch.setattr("botocore.auth.get_current_datetime", signed_late)
    backend = CephBackend(
        gateway.address, AccessKey(gateway.access_key, gateway.secret_key), clock=WallClock(lambda: late)
    )
    with pytest.raises(Misconfigured, match="clocks"):
        await backend.state(desired.user)
    report = await backend.check()
    await backend.close()
    assert (report.reachable, report.credentials) == (True, False)
    (problem,) = report.problems
    behind = re.fullmatch(r"The cluster's clock is (\d+) s behind. Synchronise both clocks with NTP.", problem)
    assert behind is not None, problem
    assert 600 < int(behind[1]) <= 1200, "its clock has gone on since"


async def test_a_busy_gateway_is_asked_three_times(desired: DesiredAccount) -> None:
    async with gateway_answering([BUSY, BUSY, NOBODY, BUSY, BUSY, BUSY, NOBODY]) as backend:
        assert await backend.state(desired.user) is None
        with pytest.raises(Unavailable, match="SlowDown"):
            await backend.state(desired.user)
        assert await backend.state(desired.user) is None


async def test_a_proxys_error_does_not_repeat_a_key_creation(desired: DesiredAccount) -> None:
    async with gateway_answering([RECORD, (502, b"Bad Gateway"), NOBODY]) as backend:
        with pytest.raises(Unavailable, match="502"):
            await backend.create_key(desired.user, "PROXYSTANDSBETWEEN")
        assert await backend.state(desired.user) is None


DENIED = (403, b'{"Code":"AccessDenied"}')


@pytest.mark.parametrize(
    ("answers", "surely", "reason"),
    [
        ([BUSY] * 3, True, Unavailable),
        ([DENIED], True, Misconfigured),
        ([PAGE], True, Misconfigured),
        ([RECORD, DENIED], True, Misconfigured),
        ([RECORD, (502, b"Bad Gateway")], False, Unavailable),
        ([RECORD, PAGE], False, Misconfigured),
        ([RECORD, (200, b"[]")], False, Misconfigured),
    ],
)
async def test_it_is_known_whether_a_key_may_have_been_made(
    desired: DesiredAccount, answers: list[tuple[int, bytes]], surely: bool, reason: type[Unavailable]
) -> None:
    async with gateway_answering(answers) as backend:
        with pytest.raises(Unavailable) as failed:
            await backend.create_key(desired.user, "PERHAPSITISTHERE")
    error = failed.value
    assert isinstance(error, NotReached) is surely
    assert type(error.reason if isinstance(error, NotReached) else error) is reason


async def test_a_busy_gateway_says_nothing_of_the_credentials() -> None:
    async with gateway_answering(itertools.repeat(BUSY)) as backend:
        report = await backend.check()
    assert (report.reachable, report.credentials) == (True, False)
    assert report.problems == ("The storage cluster cannot do this at the moment (SlowDown). Try again later.",)


def test_all_of_this_takes_two_capabilities(gateway: Gateway) -> None:
    user: dict[str, Any] = json.loads(gateway.admin("user", "info", "--uid", ADMIN))
    assert user["caps"] == [{"type": "usage", "perm": "*"}, {"type": "users", "perm": "*"}]
