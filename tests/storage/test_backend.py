"""Rules without a cluster: differences, requests refused before they are sent, the backend without a cluster."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tonnage.errors import Conflict, Unavailable
from tonnage.storage.backend import (
    Access,
    AccessKey,
    ActualAccount,
    ClusterUser,
    DesiredAccount,
    StorageBackend,
    differences,
)
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_errors import refusal
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned
from tonnage.storage.metered import MeteredBackend

pytestmark = pytest.mark.anyio

ACCOUNT = 123_456_789_012
USER = ClusterUser(ACCOUNT)
DESIRED = DesiredAccount(ACCOUNT, "Customer", "Jörg.Ä@Customer.Example", 5)
ACTUAL = ActualAccount("Customer", "jörg.Ä@customer.example", 100, 5, True, Access.FULL, ())


@pytest.mark.parametrize(
    ("behind_our_back", "words"),
    [
        ({}, ()),
        ({"display_name": "Other"}, ("display name",)),
        ({"email": "other@customer.example"}, ("e-mail",)),
        ({"max_buckets": 0}, ("max buckets",)),
        ({"quota": None}, ("quota",)),
        ({"quota_exact": False}, ("quota",)),
        ({"access": None}, ("access",)),
        ({"access": Access.SUSPENDED, "quota": 0}, ("access", "quota")),
        ({"access_keys": ("KEY",)}, ()),
    ],
)
def test_differences(behind_our_back: dict[str, Any], words: tuple[str, ...]) -> None:
    assert differences(DESIRED, replace(ACTUAL, **behind_our_back)) == words


def test_an_account_that_may_not_write_has_no_quota_left() -> None:
    assert differences(DESIRED, None) == ("account",)
    for access in (Access.READ_ONLY, Access.SUSPENDED):
        assert replace(DESIRED, access=access, quota=None).write_limit == 0
        assert differences(replace(DESIRED, access=access), replace(ACTUAL, access=access, quota=0)) == ()


async def test_the_metered_backend_reports_that_it_does_nothing() -> None:
    backend: StorageBackend = MeteredBackend()
    report = await backend.check()
    assert (report.problems, report.enforced) == ((), ())
    assert "metered only" in dict(report.facts)["backend"]
    assert await backend.apply(DESIRED) == ()
    assert (await backend.state(USER), await backend.usage(USER), await backend.keys(USER)) == (None, None, ())
    now = datetime.now(UTC)
    assert [account_id async for account_id in backend.accounts()] == []
    assert [traffic async for traffic in backend.traffic(now, now, {})] == []
    assert [user async for user in backend.users()] == []
    assert await backend.unmanaged_user("anyone") is None
    with pytest.raises(Conflict, match="metered only"):
        await backend.create_key(USER, "A" * 20)
    await backend.delete_key(USER, "A" * 20)
    await backend.trim_traffic(USER, now)
    await backend.purge(USER)
    await backend.close()


async def test_ids_that_are_none_of_ours_are_never_sent() -> None:
    backend: StorageBackend = CephBackend("http://127.0.0.1:1", AccessKey("A", "S"))
    for account_id in (0, -ACCOUNT, 99_999_999_999, 1_000_000_000_000):
        for refused in (backend.purge, backend.state, backend.usage, backend.keys):
            with pytest.raises(ValueError, match="not the id of a storage account"):
                await refused(ClusterUser(account_id))
        with pytest.raises(ValueError, match="not the id"):
            await backend.trim_traffic(ClusterUser(account_id), datetime.now(UTC))
    for access_key in ("", "SHORT", "a" * 20, "A" * 15 + "&", "A" * 16 + "\n", "A" * 129):
        with pytest.raises(ValueError, match="capital letters"):
            await backend.create_key(USER, access_key)
    for access_key in ("", "a b", "a/b", "Ä", "A" * 16 + "\n", "A" * 129):
        with pytest.raises(ValueError, match="not an access key"):
            await backend.delete_key(USER, access_key)
    await backend.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", Misconfigured),
        (403, "InvalidAccessKeyId", Misconfigured),
        (403, "SignatureDoesNotMatch", Misconfigured),
        (403, "RequestTimeTooSkewed", Misconfigured),
        (403, "UserSuspended", Misconfigured),
        (405, "MethodNotAllowed", Misconfigured),
        (404, "NoSuchUser", NotProvisioned),
        (409, "EmailExists", BackendRefused),
        (400, "InvalidArgument", BackendRefused),
        (501, "NotImplemented", BackendRefused),
        (418, "Teapot", BackendRefused),
        (500, "UnknownError", Unavailable),
        (503, "SlowDown", Unavailable),
        (502, None, Unavailable),
        (429, None, Unavailable),
        (404, None, Misconfigured),
        (301, None, Misconfigured),
    ],
)
def test_each_error_states_whether_a_retry_helps(status: int, code: str | None, kind: type[Exception]) -> None:
    answer = httpx.Response(status, json={"Code": code, "Message": ""}) if code else httpx.Response(status, html="<p>")
    error = refusal(answer)
    assert type(error) is kind
    assert str(code or status) in str(error) or kind is NotProvisioned


def test_secrets_show_in_no_repr() -> None:
    assert "hidden" not in repr(AccessKey("ACCESS", "hidden"))
    assert "ACCESS" in repr(AccessKey("ACCESS", "hidden"))
