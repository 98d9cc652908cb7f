"""Limits on guessing: the number of tries, in sequence and at once, and who is blocked."""

import asyncio
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.authentication.members import (
    OTHER_WORD,
    WORD,
    FakeOutbox,
    Person,
    cheap,
    client,
    key_file,
    person,
    services_of,
)
from tests.cast import NOW, Cast
from tonnage.authentication import credential_actions, throttling
from tonnage.authentication.jobs import notify_blocked, run_maintenance
from tonnage.authentication.session import ClientInfo, Stage
from tonnage.authentication.throttling import network_of
from tonnage.authentication.throttling_queries import count_attempt
from tonnage.errors import Throttled, Unauthenticated
from tonnage.mail import Mailer

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


async def outcome(ann: Person, password: str, now: datetime = NOW, at: ClientInfo | None = None) -> str:
    try:
        await ann.sign_in(password, now, at=at)
    except Unauthenticated:
        return "wrong"
    except Throttled as refusal:
        return f"blocked for {refusal.retry_after} s"
    return "in"


async def fail(ann: Person, times: int, now: datetime = NOW, at: ClientInfo | None = None) -> None:
    assert {await outcome(ann, "wrong", now, at) for _ in range(times)} == {"wrong"}


async def test_after_ten_failures_even_the_right_password_is_refused(ann: Person) -> None:
    await fail(ann, 10)
    assert await outcome(ann, WORD) == "blocked for 60 s"
    assert await outcome(ann, "wrong", NOW + timedelta(seconds=59)) == "blocked for 1 s"
    assert await outcome(ann, WORD, NOW + MINUTE) == "in"


async def test_ten_failures_spread_over_a_minute_block_too(ann: Person) -> None:
    tries = [NOW + timedelta(seconds=7 * number) for number in range(10)]
    for now in tries:
        await fail(ann, 1, now)
    assert await outcome(ann, WORD, tries[-1]) == "blocked for 60 s"
    again = tries[-1] + MINUTE
    await fail(ann, 1, again)
    assert await outcome(ann, WORD, again) == "blocked for 120 s"


async def test_the_block_grows_twofold_up_to_a_day(ann: Person) -> None:
    await fail(ann, 10)
    now, waits = NOW, [1]
    for _ in range(13):
        now += timedelta(minutes=waits[-1])
        await fail(ann, 1, now)
        said = await outcome(ann, WORD, now)
        waits.append(int(said.split()[2]) // 60)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440, 1440]


async def test_a_success_clears_the_count(ann: Person) -> None:
    await fail(ann, 9)
    assert await outcome(ann, WORD) == "in"
    await fail(ann, 9)
    assert await outcome(ann, WORD) == "in"


async def test_failures_are_forgotten_in_the_course_of_a_day(ann: Person) -> None:
    await fail(ann, 9)
    await fail(ann, 9, NOW + timedelta(days=1))
    assert await outcome(ann, WORD, NOW + timedelta(days=1)) == "in"


async def test_others_are_not_blocked_by_it(ann: Person, cast: Cast) -> None:
    await fail(ann, 10)
    assert await outcome(ann, WORD, at=client()) == "in"
    bob = await person(cast, ann.actor)
    assert await outcome(bob, WORD, at=ann.client) == "in"


async def test_an_unknown_address_is_blocked_in_the_same_way(ann: Person) -> None:
    unknown = Person(ann.database, uuid.uuid4(), f"{uuid.uuid4().hex}@example.org", ann.actor)
    await fail(unknown, 10)
    assert await outcome(unknown, WORD) == "blocked for 60 s"


async def test_a_burst_gets_no_more_tries(ann: Person) -> None:
    outcomes = await asyncio.gather(*(outcome(ann, "wrong") for _ in range(60)))
    assert outcomes.count("wrong") == 10
    assert outcomes.count("blocked for 60 s") == 50
    assert await outcome(ann, WORD) == "blocked for 60 s"


async def test_a_client_at_many_addresses_is_blocked_after_a_hundred(ann: Person, cast: Cast) -> None:
    at = client()

    async def guess(number: int) -> str:
        unknown = Person(ann.database, uuid.uuid4(), f"{number}-{uuid.uuid4().hex}@example.org", ann.actor)
        return await outcome(unknown, "wrong", at=at)

    outcomes = await asyncio.gather(*map(guess, range(130)))
    assert outcomes.count("wrong") == 100
    assert await outcome(ann, WORD, at=at) == "blocked for 60 s"
    assert await outcome(ann, WORD) == "in"
    # The refusals did not count for ann.
    pair = throttling.email_and_client(ann.email, at.address)[0].digest
    assert await cast.row("select coalesce(sum(failures), 0) from sign_in_throttle where subject = %s", pair) == (0,)
    # An hour later the client may try again.
    assert await outcome(ann, WORD, NOW + timedelta(hours=1), at) == "in"


NOTIFYING = "task_name = 'authentication.notify_blocked' and args->>'subject' = %s"
NOTIFICATIONS = f"select count(*) from procrastinate_jobs where {NOTIFYING}"


async def test_the_block_of_a_client_notifies_no_member(ann: Person, cast: Cast, tmp_path: Path) -> None:
    """The client's hundredth failure is ann's first: nobody guessed her password ten times."""
    keys, (visitor, other) = key_file(tmp_path), (await ann.signed_in_member(), await person(cast, ann.actor))
    await other.enrol(keys)
    token = (await other.sign_in()).token

    async def sign_in(at: ClientInfo) -> None:
        await ann.sign_in("wrong", at=at)

    async def give_password(at: ClientInfo) -> None:
        await credential_actions.change_own_password(ann.database, cheap(), visitor, "wrong", OTHER_WORD, at, NOW)

    async def give_code(at: ClientInfo) -> None:
        await other.give_code(keys, token, "000000", NOW, at=at)

    for one, fail_once in ((ann, sign_in), (ann, give_password), (other, give_code)):
        at = client()
        for _ in range(99):
            await ann.database.run(count_attempt, throttling.client(at.address)[0], NOW)
        with pytest.raises(Unauthenticated):
            await fail_once(at)
        with pytest.raises(Throttled):
            await fail_once(at)
        assert await cast.row(NOTIFICATIONS, str(one.id)) == (0,), fail_once


async def test_a_success_with_another_address_clears_no_failures(ann: Person, cast: Cast) -> None:
    at = client()
    for number in range(4):
        unknown = Person(ann.database, uuid.uuid4(), f"{number}-{uuid.uuid4().hex}@example.org", ann.actor)
        await fail(unknown, 9, at=at)
        assert await outcome(ann, WORD, at=at) == "in"
    client_digest = throttling.client(at.address)[0].digest
    assert await cast.row("select failures from sign_in_throttle where subject = %s", client_digest) == (36,)


async def test_of_ipv6_a_network_counts_as_one_client(ann: Person) -> None:
    for number in range(10):
        await fail(ann, 1, at=ClientInfo(f"2001:db8:77:{ann.id.hex[:4]}::{number + 1}", ""))
    assert (await outcome(ann, WORD, at=ClientInfo(f"2001:db8:77:{ann.id.hex[:4]}:ffff::1", ""))).startswith("blocked")
    assert network_of("2001:db8::1:0:0:1") == network_of("2001:db8:0:0:ffff::") != network_of("2001:db8:0:1::")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("unknown") == "unknown"


async def test_wrong_present_passwords_count_too(ann: Person) -> None:
    visitor = await ann.signed_in_member()
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await credential_actions.change_own_password(
                ann.database, cheap(), visitor, "wrong", OTHER_WORD, ann.client, NOW
            )
    with pytest.raises(Throttled):
        await credential_actions.change_own_password(ann.database, cheap(), visitor, WORD, OTHER_WORD, ann.client, NOW)


async def test_wrong_codes_count_and_the_right_password_does_not_clear_them(ann: Person, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    app, _, _ = await ann.enrol(keys)
    later = NOW + timedelta(minutes=5)
    for _ in range(10):
        signed_in = await ann.sign_in(now=later)
        assert signed_in.stage is Stage.CODE
        with pytest.raises(Unauthenticated):
            await ann.give_code(keys, signed_in.token, "000000", later)
    assert (await outcome(ann, WORD, later)).startswith("blocked")
    # Guesses from many clients are counted for the member, too.
    for _ in range(10):
        at = client()
        signed_in = await ann.sign_in(now=later, at=at)
        with pytest.raises(Unauthenticated):
            await ann.give_code(keys, signed_in.token, "000000", later, at=at)
    at = client()
    signed_in = await ann.sign_in(now=later, at=at)
    with pytest.raises(Throttled):
        await ann.give_code(keys, signed_in.token, app.at(later), later, at=at)
    after = later + timedelta(hours=1)
    signed_in = await ann.sign_in(now=after, at=client())
    assert (await ann.give_code(keys, signed_in.token, app.at(after), after)).stage is Stage.OPEN


async def test_the_member_is_mailed_once_an_hour(ann: Person, cast: Cast) -> None:
    await fail(ann, 10)
    assert await cast.row(NOTIFICATIONS, str(ann.id)) == (1,)
    kept = FakeOutbox()
    post = Mailer(kept, "https://console.example.org")
    for minutes in (0, 1, 59, 60):
        await notify_blocked(services_of(ann, lambda minutes=minutes: NOW + minutes * MINUTE, post), str(ann.id))
    assert [message.to for message in kept.sent] == [ann.email] * 2
    assert "https://console.example.org/sign-in/forgotten" in kept.sent[0].text
    audited = "select count(*), max(actor_kind) from audit_entry where action = 'member.blocked' and subject_id = %s"
    assert await cast.row(audited, str(ann.id)) == (2, "job")
    await notify_blocked(services_of(ann, lambda: NOW, post), str(uuid.uuid4()))
    assert len(kept.sent) == 2


async def test_expired_counts_are_deleted(ann: Person, cast: Cast) -> None:
    pair, *_ = throttling.email_and_client(ann.email, ann.client.address)
    await fail(ann, 10)
    await run_maintenance(services_of(ann, lambda: NOW + timedelta(days=1)), "")
    assert await cast.row("select count(*) from sign_in_throttle where subject = %s", pair.digest) == (1,)
    await run_maintenance(services_of(ann, lambda: NOW + timedelta(days=3)), "")
    assert await cast.row("select count(*) from sign_in_throttle where subject = %s", pair.digest) == (0,)


async def test_a_clock_that_goes_back_forgets_nothing(ann: Person) -> None:
    subject, *_ = throttling.email_and_client(ann.email, ann.client.address)
    for seconds in (100, 50, 0):
        at = NOW + timedelta(seconds=seconds)
        assert not (await ann.database.run(count_attempt, subject, at)).blocks
    await fail(ann, 7)
    assert (await outcome(ann, WORD)).startswith("blocked")
