import asyncio
import re
import threading
import uuid
from contextlib import AsyncExitStack

import pytest
from argon2 import PasswordHasher

from tests.source import FILES, SOURCE
from tonnage.errors import Busy
from tonnage.passwords import PER_NETWORK, PER_ORGANISATION, Passwords, Requester


def test_hashes_are_argon2id_and_at_most_two_are_made_at_once() -> None:
    running = most = 0
    both = threading.Barrier(2, timeout=30)

    class CountingHasher(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal running, most
            running += 1
            most = max(most, running)
            both.wait()
            try:
                return super().hash(password, salt=salt)
            finally:
                running -= 1

    async def many() -> list[str]:
        passwords = Passwords(CountingHasher(time_cost=1, memory_cost=4096))
        return await asyncio.gather(*(passwords.hash("Abcdef-1") for _ in range(12)))

    hashes = asyncio.run(many())
    assert all(made.startswith("$argon2id$") for made in hashes)
    assert len(set(hashes)) == 12
    assert most == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1:1::1", "2001:db8:1:ffff::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("unknown", "unknown", True),
    ],
)
def test_what_counts_as_one_client(one: str, other: str, same: bool) -> None:
    assert (Requester.of(one) == Requester.of(other)) is same


@pytest.mark.anyio
async def test_a_client_has_four_places_and_each_is_given_back() -> None:
    passwords = Passwords(refusal_delay=0)
    for _ in range(3):
        async with AsyncExitStack() as stack:
            for host in range(PER_NETWORK):
                await stack.enter_async_context(passwords.admit(Requester.of(f"192.0.2.{host}")))
            with pytest.raises(Busy):
                await stack.enter_async_context(passwords.admit(Requester.of("192.0.2.99")))
            async with passwords.admit(Requester.of("198.51.100.1")):
                pass


@pytest.mark.anyio
async def test_an_organisation_has_four_places_from_everywhere() -> None:
    passwords, organisation = Passwords(refusal_delay=0), uuid.uuid4()
    async with AsyncExitStack() as stack:
        for network in range(PER_ORGANISATION):
            await stack.enter_async_context(passwords.admit(Requester.of(f"192.0.{network}.1", organisation)))
        refused = Requester.of("192.0.99.1", organisation)
        with pytest.raises(Busy) as refusal:
            await stack.enter_async_context(passwords.admit(refused))
        assert refusal.value.retry_after > 0
        # A refused request takes no place of its client.
        for _ in range(PER_NETWORK):
            await stack.enter_async_context(passwords.admit(Requester.of(refused.network, uuid.uuid4())))


@pytest.mark.anyio
async def test_a_refused_client_has_to_wait_for_its_answer() -> None:
    """Else it tries again at once, and keeps the process busy with that."""
    passwords, client = Passwords(refusal_delay=60), Requester.of("192.0.2.1")

    async def ask() -> None:
        async with passwords.admit(client):
            raise AssertionError("admitted")

    async with AsyncExitStack() as stack:
        for _ in range(PER_NETWORK):
            await stack.enter_async_context(passwords.admit(client))
        refused = asyncio.create_task(ask())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not refused.done()
        refused.cancel()
        await asyncio.wait([refused])


@pytest.mark.anyio
async def test_those_who_wait_take_turns_by_client() -> None:
    passwords, done = Passwords(), list[str]()
    first, second = threading.Event(), threading.Event()
    blocking = [asyncio.create_task(passwords.run("many", end.wait, 60)) for end in (first, second)]
    waiting: list[asyncio.Task[None]] = []
    for owner in ("many", "many", "other"):
        await asyncio.sleep(0)  # it is in the queue before the next one
        waiting.append(asyncio.create_task(passwords.run(owner, done.append, owner)))
    await asyncio.sleep(0)
    first.set()
    await asyncio.gather(*waiting)
    second.set()
    await asyncio.gather(*blocking)
    assert done == ["many", "other", "many"]


def test_only_the_command_line_and_the_sample_data_hash_without_limits() -> None:
    unlimited = re.compile(r"[pP]asswords(\(\))?\.(hash|verify)\b")
    found = {path.relative_to(SOURCE).parts[0] for path in FILES if unlimited.search(path.read_text("utf-8"))}
    assert found == {"cli", "demo", "sandbox"}


def test_the_command_line_waits_for_as_long_as_it_takes() -> None:
    """A busy machine takes seconds for the many passwords of the sample data."""
    first = threading.Event()

    class SlowHasher(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            first.wait(0.05)
            return super().hash(password, salt=salt)

    async def many() -> None:
        passwords = Passwords(SlowHasher(time_cost=1, memory_cost=8, parallelism=1), longest_wait=0.001)
        await asyncio.gather(*(passwords.hash("Abcdef-1") for _ in range(6)))
        async with passwords.admit(Requester.of("192.0.2.1")) as one, passwords.admit(Requester.of("192.0.3.1")) as two:
            with pytest.raises(Busy):
                await asyncio.gather(*(each.hash("Abcdef-1") for each in (one, two, one, two)))

    asyncio.run(many())
