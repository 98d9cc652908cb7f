"""Guesses at one member from everywhere, and how the member gets in meanwhile."""

import asyncio
import re
import uuid
from dataclasses import replace
from datetime import timedelta
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
from tonnage.authentication import credential_actions
from tonnage.authentication.jobs import notify_failures, run_maintenance
from tonnage.authentication.reset_actions import request_link, reset_password, send_reset
from tonnage.authentication.session import ClientInfo, Stage
from tonnage.authentication.throttling import MOST_AT_ADDRESS, WARNED_AT
from tonnage.authentication.throttling_actions import LinkNeeded
from tonnage.devices.actions import make_link, use_link
from tonnage.devices.device import KNOWN_FOR, LINK_VALID_FOR, MOST_DEVICES
from tonnage.devices.jobs import delete_expired, send_link
from tonnage.errors import NotFound, Throttled, Unauthenticated
from tonnage.mail import Mailer

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DEFERRED = "select count(*) from procrastinate_jobs where task_name = %s and args->>'subject' = %s"


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


def knowing(device: str) -> ClientInfo:
    """A new place, with the cookie of a device."""
    return replace(client(), device=device)


async def guess(ann: Person, at: ClientInfo, password: str = "wrong") -> str:
    try:
        await ann.sign_in(password, at=at)
    except LinkNeeded:
        return "link needed"
    except Throttled:
        return "blocked"
    except Unauthenticated:
        return "wrong"
    return "in"


async def guess_from_everywhere(ann: Person, times: int = MOST_AT_ADDRESS) -> None:
    assert {await guess(ann, client()) for _ in range(times)} == {"wrong"}


async def test_after_a_hundred_from_everywhere_the_password_alone_is_not_enough(ann: Person) -> None:
    await guess_from_everywhere(ann)
    assert await guess(ann, client()) == "link needed"
    assert await guess(ann, client(), WORD) == "link needed"
    with pytest.raises(LinkNeeded) as refusal:
        await ann.sign_in(at=client())
    assert refusal.value.retry_after == 3600  # NOW is the beginning of an hour
    assert await ann.sign_in(now=NOW + HOUR, at=client())


async def test_of_an_unknown_address_the_same_is_said(ann: Person) -> None:
    unknown = Person(ann.database, uuid.uuid4(), f"{uuid.uuid4().hex}@example.org", ann.actor)
    await guess_from_everywhere(unknown)
    await guess_from_everywhere(ann)
    said: set[tuple[str, int]] = set()
    for one in (unknown, ann):
        with pytest.raises(LinkNeeded) as refusal:
            await one.sign_in(at=client())
        said.add((str(refusal.value), refusal.value.retry_after))
    assert len(said) == 1


async def test_a_burst_gets_no_more(ann: Person) -> None:
    outcomes = await asyncio.gather(*(guess(ann, client()) for _ in range(MOST_AT_ADDRESS + 40)))
    assert sorted(set(outcomes)) == ["link needed", "wrong"]
    assert outcomes.count("wrong") == MOST_AT_ADDRESS


async def test_a_right_sign_in_is_no_failure_and_forgives_none(ann: Person) -> None:
    await guess_from_everywhere(ann, MOST_AT_ADDRESS - 1)
    for _ in range(3):
        assert await guess(ann, client(), WORD) == "in"
    await guess_from_everywhere(ann, 1)
    assert await guess(ann, client(), WORD) == "link needed"


async def test_forty_networks_of_one_site_are_one(ann: Person) -> None:
    """Each /64 had ten guesses: 400 from one /48."""
    site = f"fd00:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"
    outcomes = [await guess(ann, ClientInfo(f"{site}:{network:x}::1", "")) for network in range(40) for _ in range(9)]
    assert outcomes.count("wrong") == 30
    assert outcomes.count("blocked") == 330
    assert await guess(ann, client(), WORD) == "in"


async def test_a_site_is_blocked_at_all_addresses(ann: Person, cast: Cast) -> None:
    site = f"fd00:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"

    async def try_new(number: int) -> str:
        unknown = Person(ann.database, uuid.uuid4(), f"{uuid.uuid4().hex}@example.org", ann.actor)
        return await guess(unknown, ClientInfo(f"{site}:{number:x}::1", ""))

    assert {await try_new(number) for number in range(300)} == {"wrong"}
    assert await try_new(300) == "blocked"


async def test_the_member_is_warned_at_thirty_once_an_hour(ann: Person, cast: Cast) -> None:
    name = "authentication.notify_failures"
    await guess_from_everywhere(ann, WARNED_AT - 1)
    assert await cast.row(DEFERRED, name, str(ann.id)) == (0,)
    await guess_from_everywhere(ann, 1)
    assert await cast.row(DEFERRED, name, str(ann.id)) == (1,)
    await guess_from_everywhere(ann, 5)
    assert await cast.row(DEFERRED, name, str(ann.id)) == (1,)
    outbox = FakeOutbox()
    for now in (NOW, NOW + timedelta(minutes=59), NOW + HOUR):
        await notify_failures(services_of(ann, lambda now=now: now, Mailer(outbox, "http://c")), str(ann.id))
    (mail,) = outbox.sent
    assert mail.to == ann.email
    assert "35 failed attempts" in mail.text
    audited = "select count(*), max(after->>'failures') from audit_entry where action = %s and subject_id = %s"
    assert await cast.row(audited, "member.sign-in-failures", str(ann.id)) == (1, "35")


async def test_a_mail_that_fails_is_sent_again(ann: Person) -> None:
    await guess_from_everywhere(ann, WARNED_AT)
    outbox = FakeOutbox(fails=ConnectionError())
    services = services_of(ann, lambda: NOW, Mailer(outbox, "http://c"))
    with pytest.raises(ConnectionError):
        await notify_failures(services, str(ann.id))
    outbox.fails = None
    await notify_failures(services, str(ann.id))
    assert len(outbox.sent) == 1


async def test_a_known_device_is_not_stopped_by_strangers(ann: Person) -> None:
    device = (await ann.sign_in()).device
    await guess_from_everywhere(ann)
    assert await guess(ann, client(), WORD) == "link needed"
    assert await guess(ann, knowing(device), WORD) == "in"


async def test_a_known_device_is_not_stopped_by_its_clients_block(ann: Person) -> None:
    """Behind a proxy that is not trusted all clients have one address."""
    shared = client()
    device = (await ann.sign_in(at=shared)).device
    for _ in range(100):
        unknown = Person(ann.database, uuid.uuid4(), f"{uuid.uuid4().hex}@example.org", ann.actor)
        await guess(unknown, shared)
    assert await guess(ann, shared, WORD) == "blocked"
    signed_in = await ann.sign_in(at=replace(shared, device=device))
    visitor = await ann.visit(signed_in.token)
    assert visitor
    known = replace(shared, device=signed_in.device)
    assert await credential_actions.change_own_password(ann.database, cheap(), visitor, WORD, OTHER_WORD, known, NOW)


async def test_nor_are_its_codes(ann: Person, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    app, _, _ = await ann.enrol(keys)
    later, shared = NOW + timedelta(minutes=5), client()
    first = await ann.sign_in(now=later, at=shared)
    assert (first.stage, first.device) == (Stage.CODE, "")  # not before the code
    device = (await ann.give_code(keys, first.token, app.at(later), later, at=shared)).device
    for _ in range(100):
        unknown = Person(ann.database, uuid.uuid4(), f"{uuid.uuid4().hex}@example.org", ann.actor)
        with pytest.raises((Unauthenticated, Throttled)):
            await unknown.sign_in("wrong", later, at=shared)
    after = later + timedelta(minutes=1)
    second = await ann.sign_in(now=after, at=replace(shared, device=device))
    entered = await ann.give_code(keys, second.token, app.at(after), after, at=replace(shared, device=device))
    assert entered.stage is Stage.OPEN
    assert entered.device not in {"", device}


async def test_a_known_device_has_ten_guesses_itself(ann: Person) -> None:
    device = (await ann.sign_in()).device
    at = [knowing(device) for _ in range(12)]
    assert [await guess(ann, one) for one in at] == ["wrong"] * 10 + ["blocked"] * 2
    assert await guess(ann, knowing(device), WORD) == "blocked"
    assert await guess(ann, client(), WORD) == "in"


async def test_a_device_is_one_members(ann: Person, cast: Cast) -> None:
    bob = await person(cast, ann.actor)
    device = (await bob.sign_in()).device
    await guess_from_everywhere(ann)
    for cookie in (device, "invented", device[:-1], "\udcff".encode("utf-8", "replace").decode()):
        assert await guess(ann, knowing(cookie), WORD) == "link needed"


async def test_each_sign_in_replaces_the_token(ann: Person) -> None:
    first = (await ann.sign_in()).device
    second = (await ann.sign_in(at=knowing(first))).device
    assert second not in {"", first}
    await guess_from_everywhere(ann)
    assert await guess(ann, knowing(first), WORD) == "link needed"
    assert await guess(ann, knowing(second), WORD) == "in"


async def test_a_new_password_forgets_the_other_devices(ann: Person, cast: Cast) -> None:
    signed_in, other = await ann.sign_in(), (await ann.sign_in(at=client())).device
    visitor = await ann.visit(signed_in.token)
    assert visitor
    own = replace(ann.client, device=signed_in.device)
    changed = await credential_actions.change_own_password(ann.database, cheap(), visitor, WORD, OTHER_WORD, own, NOW)
    await guess_from_everywhere(ann)
    for forgotten in (other, signed_in.device):
        assert await guess(ann, knowing(forgotten), OTHER_WORD) == "link needed"
    assert await guess(ann, knowing(changed.device), OTHER_WORD) == "in"
    admin = await person(cast, ann.actor)
    again = await cheap().hash(WORD)
    whose = admin.actor, ann.actor.organisation_id, ann.id
    await ann.database.run(credential_actions.set_password, *whose, again)
    assert await cast.row("select count(*) from known_device where member_id = %s", ann.id) == (0,)


async def test_a_device_is_forgotten_after_half_a_year(ann: Person, cast: Cast) -> None:
    device = (await ann.sign_in()).device
    later = NOW + KNOWN_FOR
    for _ in range(MOST_AT_ADDRESS):
        with pytest.raises(Unauthenticated):
            await ann.sign_in("wrong", later, at=client())
    with pytest.raises(LinkNeeded):
        await ann.sign_in(now=later, at=knowing(device))
    await delete_expired(services_of(ann, lambda: later), "")
    assert await cast.row("select count(*) from known_device where member_id = %s", ann.id) == (0,)


async def test_a_member_has_few_devices(ann: Person, cast: Cast) -> None:
    first = (await ann.sign_in(at=client())).device
    for number in range(MOST_DEVICES):
        await ann.sign_in(now=NOW + timedelta(seconds=number + 1), at=client())
    assert await cast.row("select count(*) from known_device where member_id = %s", ann.id) == (MOST_DEVICES,)
    await guess_from_everywhere(ann)
    assert await guess(ann, knowing(first), WORD) == "link needed"


async def link_by_mail(ann: Person, outbox: FakeOutbox) -> str:
    await send_link(services_of(ann, lambda: NOW, Mailer(outbox, "http://console")), str(ann.id))
    return re.findall(r"http://console/sign-in/device/(\S+)", outbox.sent[-1].text)[0]


async def test_a_link_by_mail_makes_a_device_known(ann: Person, cast: Cast) -> None:
    await guess_from_everywhere(ann)
    await ann.database.run(request_link, ann.email.upper(), client(), NOW)
    assert await cast.row(DEFERRED, "devices.send_link", str(ann.id)) == (1,)
    token = await link_by_mail(ann, FakeOutbox())
    device = await ann.database.transaction(use_link, token, "", NOW)
    assert await guess(ann, knowing(device)) == "wrong"  # the password is needed as well
    assert await guess(ann, knowing(device), WORD) == "in"
    with pytest.raises(NotFound):
        await ann.database.transaction(use_link, token, "", NOW)


async def test_two_browsers_at_once_use_a_link_once(ann: Person) -> None:
    token = await link_by_mail(ann, FakeOutbox())

    async def use() -> bool:
        try:
            await ann.database.transaction(use_link, token, "", NOW)
        except NotFound:
            return False
        return True

    assert sorted(await asyncio.gather(*(use() for _ in range(6)))) == [False] * 5 + [True]


async def test_a_link_is_short_lived(ann: Person) -> None:
    token = await link_by_mail(ann, FakeOutbox())
    with pytest.raises(NotFound):
        await ann.database.transaction(use_link, token, "", NOW + LINK_VALID_FOR)


async def test_links_are_mailed_every_five_minutes_at_most(ann: Person) -> None:
    outbox = FakeOutbox()
    for minutes in (0, 1, 4, 5):
        now = NOW + timedelta(minutes=minutes)
        await send_link(services_of(ann, lambda now=now: now, Mailer(outbox, "http://console")), str(ann.id))
    assert len(outbox.sent) == 2
    failing = FakeOutbox(fails=ConnectionError())
    later = NOW + HOUR
    with pytest.raises(ConnectionError):
        await send_link(services_of(ann, lambda: later, Mailer(failing, "http://console")), str(ann.id))
    await send_link(services_of(ann, lambda: later, Mailer(outbox, "http://console")), str(ann.id))
    assert len(outbox.sent) == 3


async def test_nobody_learns_whether_an_address_exists(ann: Person, cast: Cast) -> None:
    before = await cast.row("select count(*) from procrastinate_jobs where task_name = 'devices.send_link'")
    await ann.database.run(request_link, f"{uuid.uuid4().hex}@example.org", client(), NOW)
    after = await cast.row("select count(*) from procrastinate_jobs where task_name = 'devices.send_link'")
    assert after == (before[0] + 1,)
    await send_link(services_of(ann, lambda: NOW, Mailer(FakeOutbox(), "http://console")), str(uuid.uuid4()))


async def test_requests_for_links_are_limited(ann: Person) -> None:
    at = client()
    for _ in range(20):
        await ann.database.run(request_link, ann.email, at, NOW)
    with pytest.raises(Throttled):
        await ann.database.run(request_link, ann.email, at, NOW)


async def test_the_operators_link_is_audited(ann: Person, cast: Cast) -> None:
    path = await ann.database.run(make_link, cast.operator, ann.email.upper(), NOW)
    await guess_from_everywhere(ann)
    device = await ann.database.transaction(use_link, path.rpartition("/")[2], "", NOW)
    assert await guess(ann, knowing(device), WORD) == "in"
    audited = "select count(*) from audit_entry where action = 'member.allow-sign-in' and subject_id = %s"
    assert await cast.row(audited, str(ann.id)) == (1,)
    with pytest.raises(NotFound):
        await ann.database.run(make_link, cast.operator, "nobody@example.org", NOW)


async def test_a_reset_by_mail_makes_the_device_known(ann: Person) -> None:
    await guess_from_everywhere(ann)
    outbox = FakeOutbox()
    await send_reset(ann.database, Mailer(outbox, "http://console"), ann.id, services_of(ann, lambda: NOW).wall_clock)
    token = re.findall(r"/sign-in/new-password/(\S+)", outbox.sent[0].text)[0]
    device = await ann.database.transaction(reset_password, token, await cheap().hash(OTHER_WORD), client(), NOW)
    assert await guess(ann, client(), OTHER_WORD) == "link needed"
    assert await guess(ann, knowing(device), OTHER_WORD) == "in"


async def test_old_counts_are_deleted(ann: Person, cast: Cast) -> None:
    counts = "select count(*) from sign_in_failures where hour = %s"
    await guess(ann, client())
    assert (await cast.row(counts, NOW))[0] >= 1
    await run_maintenance(services_of(ann, lambda: NOW + timedelta(days=3)), "")
    assert await cast.row(counts, NOW) == (0,)
