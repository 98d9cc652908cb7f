"""The simulated backend, by the protocol of all backends."""

from dataclasses import replace

import pytest

from tests.sandbox.sandboxes import Process
from tonnage.storage.backend import MAX_ACCESS_KEYS, Access, ClusterUser, DesiredAccount
from tonnage.storage.errors import NotProvisioned, TooManyKeys

pytestmark = pytest.mark.anyio

USER = ClusterUser(482915730164)
DESIRED = DesiredAccount(USER.account_id, "Bakery", "Till@example.org", 10**12)


async def test_it_keeps_users_quotas_and_keys(sandbox: Process) -> None:
    backends = sandbox.services.backends
    (region,) = await sandbox.cast.row("select id from region where backend = 'simulated'")
    backend = await backends.of(region)
    assert backend.bucket is None
    assert (await backend.check()).problems == ()
    assert await backend.state(USER) is await backend.usage(USER) is None
    for refused in (backend.keys(USER), backend.create_key(USER, "TONNAGE4Q7Z0KX2M9RB1")):
        with pytest.raises(NotProvisioned):
            await refused

    assert await backend.apply(DESIRED) == ("account",)
    assert await backend.apply(DESIRED) == ()
    suspended = replace(DESIRED, quota=None, access=Access.SUSPENDED)
    assert await backend.apply(suspended) == ("access", "quota")
    state = await backend.state(USER)
    assert state is not None
    assert (state.quota, state.access, state.display_name) == (0, Access.SUSPENDED, "Bakery")
    assert await backend.apply(replace(DESIRED, quota=5)) == ("access", "quota")
    usage = await backend.usage(USER)
    assert usage is not None
    assert (usage.bytes, usage.objects) == (5, 1), "no more than its quota"
    assert [user.account_id async for user in backend.users()] == [USER.account_id]
    assert [account async for account in backend.accounts()] == [USER.account_id]

    names = [f"TONNAGE{number:013}" for number in range(MAX_ACCESS_KEYS)]
    first, again = await backend.create_key(USER, names[0]), await backend.create_key(USER, names[0])
    assert first.secret_key != again.secret_key
    for name in names[1:]:
        await backend.create_key(USER, name)
    with pytest.raises(TooManyKeys):
        await backend.create_key(USER, "TONNAGE4Q7Z0KX2M9RB1")
    await backend.delete_key(USER, names[3])
    await backend.delete_key(USER, names[3])
    assert await backend.keys(USER) == (*names[:3], *names[4:])

    await backend.purge(USER)
    await backend.purge(USER)
    assert await backend.state(USER) is None
