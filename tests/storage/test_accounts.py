"""An account on a real gateway reaches its desired state from any other."""

import asyncio
import secrets
from dataclasses import replace

import pytest

from testbed.gateway import Gateway
from tests.storage.customer import Customer
from tonnage.storage.backend import Access, AccessKey, ClusterUser, DesiredAccount, differences
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_account import uid
from tonnage.storage.errors import BackendRefused

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def test_creation_is_idempotent(backend: CephBackend, desired: DesiredAccount) -> None:
    assert await backend.state(desired.user) is None
    assert await backend.apply(desired) == ("account",)
    assert await backend.apply(desired) == ()
    actual = await backend.state(desired.user)
    assert actual is not None
    assert (actual.quota, actual.quota_exact, actual.access_keys) == (1_000_000, True, ())
    assert (actual.display_name, actual.email, actual.max_buckets) == ("Customer", desired.email, 100)


@pytest.mark.parametrize("quota", [0, 1, 2**63 - 1, None])
async def test_every_quota_comes_back_as_it_was_set(
    backend: CephBackend, desired: DesiredAccount, quota: int | None
) -> None:
    await backend.apply(desired)
    wanted = replace(desired, quota=quota)
    assert await backend.apply(wanted) == ("quota",)
    assert await backend.apply(wanted) == ()


async def test_drift_is_found_and_repaired(gateway: Gateway, backend: CephBackend, desired: DesiredAccount) -> None:
    await backend.apply(desired)
    user = ("--uid", uid(desired.account_id))
    drifts = {
        ("quota", "set", "--quota-scope=user", "--max-size=7"): "quota",
        ("quota", "disable", "--quota-scope=user"): "quota",
        ("user", "modify", "--op-mask=read"): "access",
        ("user", "suspend"): "access",
        ("user", "modify", "--display-name=Other"): "display name",
        ("user", "modify", f"--email={secrets.token_hex(4)}@x.example"): "e-mail",
        ("user", "modify", "--max-buckets=7"): "max buckets",
    }
    for drift, word in drifts.items():
        gateway.admin(*drift, *user)
        assert differences(desired, await backend.state(desired.user)) == (word,)
        assert await backend.apply(desired) == (word,)
        assert await backend.apply(desired) == ()


async def test_an_account_without_its_quota_is_completed(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount
) -> None:
    # The state after a creation that was interrupted between its two calls.
    gateway.admin("user", "create", "--uid", uid(desired.account_id), "--display-name=x", "--max-buckets=100")
    assert await backend.apply(desired) == ("display name", "e-mail", "quota")
    assert await backend.apply(desired) == ()


async def test_four_workers_at_once_make_one_account(backend: CephBackend, desired: DesiredAccount) -> None:
    await asyncio.gather(*(backend.apply(desired) for _ in range(4)))
    assert await backend.apply(desired) == ()


@pytest.mark.parametrize(
    "name",
    [
        'O\'Neill "& Sons" <b>; DROP TABLE--',
        "100 % + 1 & 2 = 3 ? / # \\ $main",
        "%24%00 %zz %",
        "😀👩‍👩‍👧 emoji",
        "\u202eשלום عالم",
        "😀" * 200,
        "x" * 200,
        " ",
    ],
)
async def test_hostile_names_and_addresses_survive(backend: CephBackend, desired: DesiredAccount, name: str) -> None:
    email = f'{desired.account_id}+tag&%25="quoted"\'ÄÖ@{"x" * 60}.Example'
    hostile = replace(desired, display_name=name, email=email)
    assert await backend.apply(hostile) == ("account",)
    assert await backend.apply(hostile) == ()
    actual = await backend.state(desired.user)
    assert actual is not None
    assert actual.display_name == name
    assert await backend.apply(desired) == ("display name", "e-mail")


async def test_a_taken_address_is_refused_for_good(backend: CephBackend, desired: DesiredAccount) -> None:
    await backend.apply(desired)
    other = replace(desired, account_id=desired.account_id + 500_000_000_000)
    with pytest.raises(BackendRefused, match="this e-mail address") as refused:
        await backend.apply(other)
    assert refused.value.cluster_code == "EmailExists"
    assert await backend.state(ClusterUser(other.account_id)) is None


async def test_the_list_has_orphans_and_no_foreign_users(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount
) -> None:
    orphan = 900_000_000_000 + secrets.randbelow(10**9)
    foreign = ["plain", "acct_1$main", f"acct_{orphan + 1}$other", f"acct_{orphan + 2}", f"xacct_{orphan + 3}$main"]
    for user in (*foreign, uid(orphan)):
        gateway.admin("user", "create", "--uid", user, "--display-name", "by hand")
    await backend.apply(desired)
    listed = [account_id async for account_id in backend.accounts()]
    assert len(listed) == len(set(listed))
    assert {orphan, desired.account_id} <= set(listed)
    assert not {orphan + 1, orphan + 2, orphan + 3, 1} & set(listed)
    await backend.purge(ClusterUser(orphan))
    assert orphan not in {account_id async for account_id in backend.accounts()}
    for user in foreign:
        assert gateway.admin("user", "info", "--uid", user)


async def test_the_list_goes_on_where_a_page_ends(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount
) -> None:
    mine = {desired.account_id + n * 1_000_000 for n in range(1, 6)}
    for account_id in mine:
        await backend.apply(replace(desired, account_id=account_id, email=f"{account_id}@x.example"))
    paging = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key), page_size=2)
    listed = [account_id async for account_id in paging.accounts()]
    await paging.close()
    assert mine <= set(listed)
    assert len(listed) == len(set(listed))


async def test_bucket_names_are_private_to_an_account(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    other = replace(desired, account_id=desired.account_id + 600_000_000_000, email="private@x.example")
    await backend.apply(other)
    with Customer(gateway, await backend.create_key(ClusterUser(other.account_id), "PRIVATEBUCKETKEY")) as somebody:
        for owner, content in ((customer, b"mine"), (somebody, b"yours")):
            owner.s3.create_bucket(Bucket="data")
            owner.s3.put_object(Bucket="data", Key="k", Body=content)
        for owner, content in ((customer, b"mine"), (somebody, b"yours")):
            assert [bucket["Name"] for bucket in owner.s3.list_buckets()["Buckets"]] == ["data"]
            assert owner.s3.get_object(Bucket="data", Key="k")["Body"].read() == content
        assert somebody.request_other_account("GET", desired.account_id, "data/k") == 403


async def test_at_most_so_many_buckets(backend: CephBackend, desired: DesiredAccount, customer: Customer) -> None:
    await backend.apply(replace(desired, max_buckets=1))
    assert customer.attempt("create_bucket", Bucket="first") == "done"
    assert customer.attempt("create_bucket", Bucket="second") == "TooManyBuckets"


async def test_manually_changed_access_is_drift(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount
) -> None:
    await backend.apply(replace(desired, access=Access.SUSPENDED))
    gateway.admin("user", "modify", "--uid", uid(desired.account_id), "--op-mask=read,delete")
    actual = await backend.state(desired.user)
    assert actual is not None
    assert actual.access is None
