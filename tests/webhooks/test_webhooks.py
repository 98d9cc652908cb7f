"""Events reach a real receiver, which verifies them with the package that receivers use."""

import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.authentication.members import FakeOutbox, key_file, person
from tests.cast import TB, Cast
from tests.clocks import clocks
from tests.events.test_feed import published, write
from tests.webhooks.receiver import LOOPBACK, NAME, Answer, Receiver, receiver
from tonnage.access.actor import Actor, Role
from tonnage.db import connect
from tonnage.errors import Conflict, Forbidden, Invalid, NotFound
from tonnage.events.event_feed import FeedReader
from tonnage.mail import Mailer, Message
from tonnage.notices import jobs as notices
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.public_http import PublicHttp
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.webhooks import actions, delivery_actions
from tonnage.webhooks.delivery import MOST_ATTEMPTS, next_attempt
from tonnage.webhooks.endpoint import EndpointChange

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@dataclass
class Sender:
    """A distributor with a webhook at a receiver."""

    cast: Cast
    receiver: Receiver
    key_file: Path
    distributor: Actor
    partner: Actor
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The package that verifies reads the machine's clock."""
    endpoint: UUID = field(default_factory=uuid4)
    secret: str = ""

    @property
    def services(self) -> Services:
        return Services(
            self.cast.database,
            OpenBackends(self.cast.database, None),
            **clocks(lambda: self.now),
            key_file=self.key_file,
            public_http=self.receiver.http,
        )

    async def create(self, **change: Any) -> dict[str, Any]:
        details = replace(EndpointChange(self.receiver.url, "For a test", ()), **change)
        made = await self.cast.database.transaction(
            actions.create_endpoint, self.services, self.distributor, details, self.now
        )
        return json.loads(made.json)

    async def happens(self, name: str = "New") -> None:
        change = PartnerChange(name)
        whose = self.partner.organisation_id
        await self.cast.database.run(update_partner, self.distributor, whose, change, self.cast.now)
        await published(self.cast.database)

    async def deliver(self, after: timedelta = timedelta(), endpoint: UUID | None = None) -> int:
        """What the jobs do after that time; how many requests the receiver got."""
        self.now += after
        before = len(self.receiver.received)
        await delivery_actions.queue_deliveries(self.cast.database, self.now)
        await delivery_actions.deliver(self.services, endpoint or self.endpoint)
        return len(self.receiver.received) - before

    async def mails(self) -> list[Message]:
        """What the jobs of notices mail."""
        outbox = FakeOutbox()
        services = replace(self.services, mailer=Mailer(outbox, "https://console.example"))
        for name, job in (("notices.notify", notices.notify), ("notices.send", notices.send)):
            subjects = "select coalesce(array_agg(args->>'subject'), '{}') from procrastinate_jobs where task_name = %s"
            for subject in (await self.cast.row(subjects, name))[0]:
                await job(services, subject)
        return outbox.sent

    async def log(self) -> list[dict[str, Any]]:
        rows = await self.cast.row(
            """select coalesce(jsonb_agg(jsonb_build_object('attempts', attempts, 'status', status, 'detail', detail,
                'due', due_at is not null, 'delivered', delivered_at is not null) order by id), '[]')
               from webhook_delivery where endpoint_id = %s""",
            self.endpoint,
        )
        return rows[0]

    async def state(self) -> tuple[bool, str | None]:
        return await self.cast.row(  # pyright: ignore[reportReturnType]
            "select disabled_at is null, disabled_reason from webhook_endpoint where id = %s", self.endpoint
        )


@pytest.fixture
async def sender(new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path) -> AsyncGenerator[Sender]:
    with new_database() as conninfo:
        async with connect(conninfo) as database, receiver(tmp_path) as listening:
            cast = await Cast.of(database)
            distributor = await cast.distributor()
            partner = await cast.partner(distributor, await cast.contract(distributor), TB)
            await published(database)
            made = Sender(cast, listening, key_file(tmp_path), distributor, partner)
            await delivery_actions.queue_deliveries(database, made.now)
            document = await made.create()
            made.endpoint, made.secret = UUID(document["id"]), document["secretKey"]
            yield made


async def test_a_receiver_verifies_what_it_gets(sender: Sender) -> None:
    await sender.happens("Renamed")
    assert await sender.deliver() == 1
    [got] = sender.receiver.received
    assert (got.method, got.path) == ("POST", "/hooks")
    assert got.headers["host"] == f"{NAME}:{sender.receiver.port}"
    assert got.headers["content-type"] == "application/json"
    event: Any = Webhook(sender.secret).verify(got.body, got.headers)
    assert event["type"] == "partner.updated"
    assert event["data"]["after"]["name"] == "Renamed"
    assert event["id"] == got.headers["webhook-id"]
    with pytest.raises(WebhookVerificationError):
        Webhook(sender.secret).verify(got.body.replace(b"Renamed", b"Forged!"), got.headers)
    # The other signature, by the key that the API shows.
    public = (await sender.cast.row("select public_key from webhook_endpoint where id = %s", sender.endpoint))[0]
    [by_key] = [one for one in got.headers["webhook-signature"].split(" ") if one.startswith("v1a,")]
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = Ed25519PublicKey.from_public_bytes(b64decode(public.removeprefix("whpk_")))
    key.verify(b64decode(by_key.removeprefix("v1a,")), signed)
    assert await sender.log() == [{"attempts": 1, "status": 200, "detail": "thanks", "due": False, "delivered": True}]
    assert await sender.deliver() == 0


async def test_500_then_200(sender: Sender) -> None:
    sender.receiver.answers = [Answer(500, b"not now")]
    await sender.happens()
    assert await sender.deliver() == 1
    assert await sender.log() == [{"attempts": 1, "status": 500, "detail": "not now", "due": True, "delivered": False}]
    assert await sender.deliver(timedelta(seconds=4)) == 0
    assert await sender.deliver(timedelta(seconds=3)) == 1
    assert [one["attempts"] for one in await sender.log()] == [2]
    first, second = sender.receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]


async def test_a_receiver_that_dies_for_an_hour_gets_everything_once(sender: Sender) -> None:
    sender.receiver.answers = [Answer(503)] * 1_000
    for number in range(5):
        await sender.happens(f"Name {number}")
    for _ in range(6):
        await sender.deliver(timedelta(minutes=10))
    tries = len(sender.receiver.received)
    # At once, after 5 s, 5 min and 30 min, each time all five.
    assert 15 <= tries <= 20
    sender.receiver.answers = []
    sender.receiver.received.clear()
    await sender.deliver(timedelta(hours=3))
    assert len({one.headers["webhook-id"] for one in sender.receiver.received}) == len(sender.receiver.received) == 5
    assert all(one["delivered"] for one in await sender.log())
    assert await sender.deliver(timedelta(days=10)) == 0


async def test_410_disables_at_once(sender: Sender) -> None:
    sender.receiver.answers = [Answer(410, b"no more")]
    await sender.happens()
    await sender.deliver()
    assert await sender.state() == (False, "gone")
    await sender.happens("Another")
    assert await sender.deliver(timedelta(days=1)) == 0


@pytest.mark.parametrize(("status", "why"), [(410, "its server answered 410 Gone"), (500, "nothing has arrived for")])
async def test_the_admins_are_mailed_that_their_webhook_was_disabled(sender: Sender, status: int, why: str) -> None:
    admin = await person(sender.cast, sender.distributor)
    await person(sender.cast, sender.distributor, Role.STAFF)
    await person(sender.cast, sender.partner)
    sender.receiver.answers = [Answer(status)] * 50
    await sender.happens()
    for _ in range(12):
        await sender.deliver(timedelta(hours=14))
    [mail] = await sender.mails()
    assert (mail.to, mail.subject) == (admin.email, "A webhook was disabled")
    for said in (why, sender.receiver.url, f"https://console.example/webhooks/{sender.endpoint}"):
        assert said in mail.text


async def test_five_days_of_failures_disable_and_a_success_in_between_does_not(sender: Sender) -> None:
    for _ in range(2):
        sender.receiver.answers = [Answer(500)] * 50
        await sender.happens()
        for _ in range(8):
            await sender.deliver(timedelta(hours=14))
        assert await sender.state() == (True, None)
        sender.receiver.answers = []
        await sender.happens("Works")
        await sender.deliver(timedelta(hours=1))
    sender.receiver.answers = [Answer(500)] * 50
    await sender.happens("Fails")
    for _ in range(12):
        await sender.deliver(timedelta(hours=14))
    assert await sender.state() == (False, "failing")
    (entries,) = await sender.cast.row(
        "select count(*) from audit_entry where action = 'webhook.disable' and subject_id = %s", str(sender.endpoint)
    )
    assert entries == 1


@pytest.mark.parametrize("location", ["https://127.0.0.1/", "http://169.254.169.254/latest", "/elsewhere"])
async def test_a_redirect_is_a_failure_and_not_followed(sender: Sender, location: str) -> None:
    sender.receiver.answers = [Answer(302, b"", f"Location: {location}\r\n")]
    await sender.happens()
    assert await sender.deliver() == 1
    assert [(one["status"], one["due"]) for one in await sender.log()] == [(302, True)]


async def test_a_long_reply_is_cut(sender: Sender) -> None:
    sender.receiver.answers = [Answer(200, b"x" * 1_000_000)]
    await sender.happens()
    await sender.deliver()
    assert [len(one["detail"]) for one in await sender.log()] == [1024]


async def test_a_slow_receiver_is_left(sender: Sender, tmp_path: Path) -> None:
    sender.receiver.http = replace(sender.receiver.http, seconds=0.2)
    sender.receiver.answers = [Answer(waits=True)]
    await sender.happens()
    await sender.deliver()
    [one] = await sender.log()
    assert (one["status"], one["detail"], one["due"]) == (None, "no response within 0.2 seconds", True)


async def test_a_certificate_of_another_name_is_not_accepted(sender: Sender) -> None:
    other = EndpointChange(url=sender.receiver.url.replace(NAME, "other.example.com"))
    await sender.cast.database.run(
        actions.change_endpoint, sender.services, sender.distributor, sender.endpoint, other, sender.now
    )
    await sender.happens()
    assert await sender.deliver() == 0
    [one] = await sender.log()
    assert "certificate" in one["detail"]


async def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    """Without networks of the operator: the name is public when it is asked for first, and private then."""

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["192.0.2.1"] if len(asked) > 1 else ["127.0.0.1"]

    asked: list[str] = []
    async with receiver(tmp_path) as listening:
        # Loopback is permitted here, and 192.0.2.1 is not: a second question would end in a refusal.
        http = PublicHttp(LOOPBACK, resolve, listening.http.tls)
        assert (await http.post(listening.url, b"{}", {})).status == 200
    assert asked == [NAME]


async def test_the_next_address_is_tried_where_one_refuses(tmp_path: Path) -> None:
    async with receiver(tmp_path, resolves=lambda _: ["127.0.0.2", "127.0.0.1"]) as listening:
        assert (await listening.http.post(listening.url, b"{}", {})).status == 200


async def test_at_most_two_secrets_and_both_sign(sender: Sender) -> None:
    run, whose = sender.cast.database.transaction, sender.distributor
    later = sender.now + timedelta(seconds=1)
    added = json.loads((await run(actions.add_secret, sender.services, whose, sender.endpoint, later)).json)
    with pytest.raises(Conflict, match="two secrets"):
        await run(actions.add_secret, sender.services, whose, sender.endpoint, sender.now)
    await sender.happens()
    await sender.deliver()
    [got] = sender.receiver.received
    for secret in (sender.secret, added["secretKey"]):
        Webhook(secret).verify(got.body, got.headers)
    [new, old] = added["secrets"]
    await run(actions.revoke_secret, whose, sender.endpoint, UUID(old["id"]))
    with pytest.raises(NotFound):
        await run(actions.revoke_secret, whose, sender.endpoint, UUID(new["id"]))
    await sender.happens("Again")
    await sender.deliver()
    got = sender.receiver.received[-1]
    Webhook(added["secretKey"]).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(sender.secret).verify(got.body, got.headers)


async def test_types_filter_and_strangers_get_nothing(sender: Sender) -> None:
    stranger = await sender.cast.distributor()
    theirs = await sender.cast.database.transaction(
        actions.create_endpoint, sender.services, stranger, EndpointChange(sender.receiver.url, "", ()), sender.now
    )
    only = EndpointChange(types=("member.created",))
    await sender.cast.database.run(
        actions.change_endpoint, sender.services, sender.distributor, sender.endpoint, only, sender.now
    )
    await sender.happens()
    assert await sender.deliver() == 0
    assert await sender.deliver(endpoint=theirs.id) == 0
    await write(sender.cast.database, FeedReader.of(sender.distributor), "member.create")
    await published(sender.cast.database)
    assert await sender.deliver() == 1
    with pytest.raises(NotFound):
        await sender.cast.database.run(actions.find, stranger, sender.endpoint)


async def test_test_events_and_replays(sender: Sender) -> None:
    run, whose, begun = sender.cast.database.transaction, sender.distributor, sender.now
    await run(actions.send_test, whose, sender.endpoint, sender.now)
    assert await sender.deliver() == 1
    [got] = sender.receiver.received
    event: Any = Webhook(sender.secret).verify(got.body, got.headers)
    assert event["type"] == "webhook.test"
    sender.receiver.answers = [Answer(500)] * 20
    await sender.happens()
    for _ in range(100):
        await sender.deliver(timedelta(hours=1))
    sender.receiver.answers = []
    assert [(one["due"], one["attempts"]) for one in await sender.log()] == [(False, 1), (False, MOST_ATTEMPTS)]
    replay = actions.replay
    assert await run(replay, whose, sender.endpoint, sender.now, since=begun, failed_only=True) == 1
    assert await sender.deliver() == 1
    assert await run(replay, whose, sender.endpoint, sender.now, since=begun) == 2
    assert await sender.deliver() == 2
    with pytest.raises(NotFound):
        await run(replay, whose, sender.endpoint, sender.now, delivery_id=2**62)


async def test_bad_input(sender: Sender) -> None:
    for url in ("http://example.com/", "https://10.0.0.1/", "https://example.com:8080\\@x/"):
        with pytest.raises(Invalid):
            await sender.create(url=url)
    with pytest.raises(Invalid):
        await sender.create(types=("region.created",))
    for _ in range(9):
        await sender.create()
    with pytest.raises(Conflict, match="greatest number"):
        await sender.create()
    sender.distributor = replace(sender.distributor, role=Role.STAFF)
    with pytest.raises(Forbidden):
        await sender.create()


async def test_a_run_ends_after_some_deliveries_and_defers_the_rest(sender: Sender) -> None:
    """So that the endpoints of others, whose jobs wait, have their turn."""
    await write(sender.cast.database, FeedReader.of(sender.distributor), "member.create", entries=120)
    await published(sender.cast.database)
    assert await sender.deliver() == 50
    (waiting,) = await sender.cast.row(
        "select count(*) from procrastinate_jobs where lock = %s and status = 'todo'",
        f"webhooks.deliver/{sender.endpoint}",
    )
    assert waiting >= 1
    assert [await sender.deliver() for _ in range(3)] == [50, 20, 0]


def test_pauses() -> None:
    pauses = [(next_attempt(number, NOW, 0) or NOW) - NOW for number in range(1, MOST_ATTEMPTS)]
    assert [pause.total_seconds() for pause in pauses] == [
        5,
        5 * 60,
        30 * 60,
        *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert next_attempt(MOST_ATTEMPTS, NOW, 0) is None
    assert next_attempt(1, NOW, 1) == NOW + timedelta(seconds=6)
