"""The reset of a forgotten password."""

import asyncio
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from procrastinate.jobs import Job

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
from tests.smtp import mail_server
from tonnage.authentication import credential_actions, reset_actions
from tonnage.authentication.jobs import run_maintenance, send_reset
from tonnage.authentication.session import ClientInfo, Stage
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Conflict, NotFound, Throttled, Unauthenticated, Unavailable
from tonnage.jobs.running import RetryWhenAway
from tonnage.mail import Mailer, SmtpOutbox

pytestmark = pytest.mark.anyio

SENDING = "task_name = 'authentication.send_reset' and args->>'subject' = %s"

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ORIGIN = "https://console.example.org"


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


async def mailed(ann: Person, now: timedelta = timedelta()) -> str | None:
    """The token in the mail that the job sends, if it sends one."""
    kept = FakeOutbox()
    await send_reset(services_of(ann, lambda: NOW + now, Mailer(kept, ORIGIN)), str(ann.id))
    if not kept.sent:
        return None
    assert [message.to for message in kept.sent] == [ann.email]
    found = re.search(rf"^{ORIGIN}/sign-in/new-password/(\S+)$", kept.sent[0].text, re.MULTILINE)
    assert found
    return found[1]


async def is_good(ann: Person, token: str, now: timedelta = timedelta()) -> bool:
    return await ann.database.run(reset_actions.valid_reset, token, NOW + now) is not None


async def use(ann: Person, token: str, now: timedelta = timedelta(), at: ClientInfo | None = None) -> None:
    password_hash = await cheap().hash(OTHER_WORD)
    await ann.database.transaction(reset_actions.reset_password, token, password_hash, at or ann.client, NOW + now)


async def test_a_link_is_good_once_and_ends_all_sessions(ann: Person, cast: Cast) -> None:
    session = (await ann.sign_in()).token
    token = await mailed(ann)
    assert token
    assert await is_good(ann, token)
    assert await is_good(ann, token)  # a look-up does not use it up
    await use(ann, token)
    assert await ann.visit(session) is None
    assert await ann.sign_in(OTHER_WORD)
    with pytest.raises(Unauthenticated):
        await ann.sign_in(WORD)
    assert not await is_good(ann, token)
    with pytest.raises(NotFound, match="no longer works"):
        await use(ann, token)
    entry = "select actor_kind, actor_id from audit_entry where action = 'member.set-password' and subject_id = %s"
    assert await cast.row(entry, str(ann.id)) == ("member", ann.id)


async def test_of_two_concurrent_uses_one_succeeds(ann: Person) -> None:
    token = await mailed(ann)
    assert token
    outcomes = await asyncio.gather(*(use(ann, token) for _ in range(5)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", *["NotFound"] * 4]


async def test_it_is_good_for_an_hour(ann: Person) -> None:
    token = await mailed(ann)
    assert token
    assert await is_good(ann, token, HOUR - MINUTE)
    assert not await is_good(ann, token, HOUR)
    with pytest.raises(NotFound):
        await use(ann, token, HOUR)


async def test_a_newer_link_replaces_it_and_there_is_one_in_five_minutes(ann: Person) -> None:
    first = await mailed(ann)
    assert first
    assert await mailed(ann, 4 * MINUTE) is None
    assert await is_good(ann, first, 4 * MINUTE)
    second = await mailed(ann, 5 * MINUTE)
    assert second
    assert not await is_good(ann, first, 5 * MINUTE)
    assert await is_good(ann, second, 5 * MINUTE)


async def test_a_mail_that_does_not_go_out_is_tried_again(ann: Person) -> None:
    kept = FakeOutbox(fails=Unavailable("The mail server is away.", UnavailableCode.MAIL_UNAVAILABLE))
    with pytest.raises(Unavailable):
        await send_reset(services_of(ann, lambda: NOW, Mailer(kept, ORIGIN)), str(ann.id))
    assert await mailed(ann)


async def test_a_mail_that_the_server_cannot_take_is_a_failed_job_and_no_token(ann: Person, cast: Cast) -> None:
    await cast.row("update member set email = %s where id = %s returning id", f"jörg-{ann.email}", ann.id)
    async with mail_server() as server:
        post = Mailer(SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", "console@example.org"), ORIGIN)
        with pytest.raises(Conflict, match="does not offer SMTPUTF8") as refusal:
            await send_reset(services_of(ann, lambda: NOW, post), str(ann.id))
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="authentication.send_reset")
    assert RetryWhenAway().get_retry_decision(exception=refusal.value, job=job) is None
    assert await cast.row("select count(*) from password_reset where member_id = %s", ann.id) == (0,)


async def test_an_unknown_address_gets_no_mail(ann: Person, cast: Cast) -> None:
    kept = FakeOutbox()
    await send_reset(services_of(ann, lambda: NOW, Mailer(kept, ORIGIN)), str(uuid.uuid4()))
    await cast.row("update organisation set closed_at = now() where id = %s returning id", ann.actor.organisation_id)
    assert await mailed(ann) is None
    assert kept.sent == []


async def test_another_new_password_makes_the_link_worthless(ann: Person) -> None:
    token = await mailed(ann)
    assert token
    visitor = await ann.signed_in_member()
    await credential_actions.change_own_password(ann.database, cheap(), visitor, WORD, OTHER_WORD, ann.client, NOW)
    assert not await is_good(ann, token)


async def test_the_second_factor_stays(ann: Person, tmp_path: Path) -> None:
    await ann.enrol(key_file(tmp_path))
    token = await mailed(ann)
    assert token
    await use(ann, token)
    assert (await ann.sign_in(OTHER_WORD)).stage is Stage.CODE


async def test_a_reset_lifts_the_block_for_the_resetting_client_only(ann: Person) -> None:
    elsewhere = client()
    for at in (ann.client, elsewhere):
        for _ in range(10):
            with pytest.raises(Unauthenticated):
                await ann.sign_in("wrong", at=at)
    token = await mailed(ann)
    assert token
    await use(ann, token)
    assert await ann.sign_in(OTHER_WORD)
    with pytest.raises(Throttled):
        await ann.sign_in(OTHER_WORD, at=elsewhere)


async def test_an_unknown_address_costs_the_same(ann: Person, cast: Cast) -> None:
    async def ask(email: str) -> int:
        counted = "select count(*) from procrastinate_jobs where task_name = 'authentication.send_reset'"
        before = (await cast.row(counted))[0]
        await ann.database.run(reset_actions.request_reset, email, client(), NOW)
        return (await cast.row(counted))[0] - before

    assert await ask(ann.email.upper()) == 1
    assert await ask("nobody@example.org") == 1
    assert await ask("\0\udcff") == 1
    asked = f"select count(*) from procrastinate_jobs where {SENDING}"
    assert await cast.row(asked, str(ann.id)) == (1,)


async def test_no_token_is_ever_in_the_queue(ann: Person, cast: Cast) -> None:
    await ann.database.run(reset_actions.request_reset, ann.email, client(), NOW)
    args = f"select args::text from procrastinate_jobs where {SENDING}"
    assert await cast.row(args, str(ann.id)) == (f'{{"subject": "{ann.id}"}}',)


async def test_requests_of_a_client_are_limited(ann: Person) -> None:
    at = client()
    asked = 0
    for _ in range(20):
        await ann.database.run(reset_actions.request_reset, f"{uuid.uuid4()}@example.org", at, NOW)
        asked += 1
    with pytest.raises(Throttled):
        await ann.database.run(reset_actions.request_reset, ann.email, at, NOW)
    assert asked == 20


async def test_unused_links_are_deleted(ann: Person, cast: Cast) -> None:
    await mailed(ann)
    await run_maintenance(services_of(ann, lambda: NOW + HOUR), "")
    assert await cast.row("select count(*) from password_reset where member_id = %s", ann.id) == (0,)


@pytest.mark.parametrize("token", ["", "x", "\0", "\udcff", "../../etc/passwd"])
async def test_invalid_links(ann: Person, token: str) -> None:
    assert not await is_good(ann, token)
