"""Notifications by mail: who, when, and one mail for many events."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.authentication.members import FakeOutbox, key_file, person
from tests.cast import NOW, TB, Cast
from tests.clocks import clocks
from tests.events.test_feed import published
from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import connect
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Invalid
from tonnage.mail import Deferred, Mailer, Message, written
from tonnage.notifications import actions, queries
from tonnage.notifications.notification_kind import KINDS, Delivery, due_at
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@dataclass
class Company:
    """A distributor with a partner, each with an admin."""

    cast: Cast
    key_file: Path
    distributor: Actor
    partner: Actor
    emails: dict[str, str] = field(default_factory=dict[str, str])
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    now: datetime = NOW

    async def member(self, name: str, actor: Actor, role: Role = Role.ADMIN) -> Actor:
        made = await person(self.cast, actor, role)
        self.emails[made.email] = name
        return replace(actor, via="member", via_id=made.id, role=role)

    async def happens(self, action: str, whose: Actor, subject: object, times: int = 1, **after: object) -> None:
        parent = self.distributor.organisation_id if whose.kind is Kind.PARTNER else None

        async def insert(conn: Any) -> None:
            await conn.execute(
                """
                insert into audit_entry (actor_kind, organisation_id, parent_id, action, subject_id, after)
                select 'job', %s, %s, %s, %s, %s::jsonb from generate_series(1, %s)""",
                [whose.organisation_id, parent, action, str(subject), json.dumps(after), times],
            )

        await self.cast.database.run(insert)
        await published(self.cast.database)

    @property
    def services(self) -> Services:
        return Services(
            self.cast.database,
            OpenBackends(self.cast.database, None),
            **clocks(lambda: self.now),
            mailer=Mailer(self.outbox, "https://console.example.org"),
            key_file=self.key_file,
        )

    async def mailed(self, after: timedelta = timedelta()) -> list[str]:
        """Runs the job after that time; who got a mail."""
        self.now += after
        before = len(self.outbox.sent)
        await actions.notify(self.services)
        return sorted(self.emails[message.to] for message in self.outbox.sent[before:])

    @property
    def last(self) -> Message:
        return self.outbox.sent[-1]


ALERT = {"level": 90, "used": 910_000_000_000, "capacity": TB}


@pytest.fixture
async def company(new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path) -> AsyncGenerator[Company]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            await cast.region()
            distributor = await cast.distributor("North")
            partner = await cast.partner(distributor, await cast.contract(distributor), 10 * TB, name="Valley")
            made = Company(cast, key_file(tmp_path), distributor, partner)
            await made.member("distributor", distributor)
            await made.member("partner", partner)
            await published(database)
            assert await made.mailed() == []
            yield made


async def test_those_whom_it_concerns_get_one_mail_with_everything(company: Company) -> None:
    account = await company.cast.account(company.partner, TB, name="Bakery")
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    assert await company.mailed() == ["partner"]
    assert company.last.subject == "Bakery uses 91 % of its allocation: 910 GB of 1 TB"
    assert f"https://console.example.org/partner/accounts/{account}" in company.last.text
    assert await company.mailed(timedelta(minutes=1)) == []
    await company.happens("partner.reach-level", company.partner, company.partner.organisation_id, **ALERT)
    assert await company.mailed(timedelta(minutes=1)) == ["distributor"]
    assert company.last.subject == "Valley uses 91 % of its allocation: 910 GB of 1 TB"
    # At most one an hour, and then with all that has happened since.
    await company.happens("account.exceed", company.partner, account, **ALERT)
    assert await company.mailed(timedelta(minutes=50)) == []
    assert await company.mailed(timedelta(minutes=8)) == ["partner"]
    assert company.last.subject == "2 notifications of Valley"
    assert "Bakery uses all of its allocation" in company.last.text
    assert await company.mailed(timedelta(days=2)) == []


async def test_caps_are_said_also_where_they_allow_nothing_more(company: Company) -> None:
    """An amount of money that is used up is a capacity of 0, of which nothing is a percentage."""
    account = await company.cast.account(company.partner, name="Bakery")
    await company.happens("account.reach-cap-level", company.partner, account, **ALERT)
    assert await company.mailed() == ["partner"]
    assert company.last.subject == "Bakery uses 91 % of the cap of its overdraft: 910 GB of 1 TB"
    await company.happens("account.exceed-cap", company.partner, account, level=100, used=5, capacity=0)
    assert await company.mailed(timedelta(hours=1)) == ["partner"]
    assert company.last.subject == "Bakery has reached the cap of its overdraft: new data is refused"


async def test_a_storm_of_10_000_makes_one_mail_for_each(company: Company) -> None:
    for number in range(3):
        await company.member(f"colleague {number}", company.partner)
    account = await company.cast.account(company.partner, TB, name="Bakery")
    await company.happens("account.reach-level", company.partner, account, times=10_000, **ALERT)
    await company.happens("partner.exceed", company.partner, company.partner.organisation_id, times=10_000, **ALERT)
    everybody = ["colleague 0", "colleague 1", "colleague 2", "distributor", "partner"]
    assert await company.mailed() == everybody
    assert company.last.text.count("Bakery") + company.last.text.count("Valley uses") == 20
    assert company.last.subject.startswith("More than 1,000 notifications of ")
    assert "and all others, in the inbox" in company.last.text
    for _ in range(5):
        assert await company.mailed(timedelta(hours=2)) == []


async def test_preferences_decide(company: Company) -> None:
    viewer = await company.member("viewer", company.partner, Role.VIEWER)
    admin = await company.member("admin", company.partner)
    run = company.cast.database.run

    async def chosen(member: Actor) -> dict[str, str]:
        assert member.via_id is not None
        return {one.kind: one.delivery for one in await run(queries.preferences, member.via_id)}

    assert set((await chosen(viewer)).values()) == {"none"}
    assert (await chosen(admin))["account_alerts"] == "at_once"
    assert "clusters" not in await chosen(admin)
    await run(actions.change_preferences, viewer, {"account_alerts": Delivery.AT_ONCE})
    await run(actions.change_preferences, admin, {"account_alerts": Delivery.DAILY})
    with pytest.raises(Invalid):
        await run(actions.change_preferences, admin, {"clusters": Delivery.DAILY})
    account = await company.cast.account(company.partner, TB)
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    assert await company.mailed() == ["partner", "viewer"]
    # It is noon in UTC.
    assert await company.mailed(timedelta(hours=18)) == []
    assert await company.mailed(timedelta(hours=1)) == ["admin"]
    # What was chosen meanwhile counts.
    await company.happens("account.exceed", company.partner, account, **ALERT)
    await company.mailed()
    await run(actions.change_preferences, admin, {"account_alerts": Delivery.NONE})
    assert await company.mailed(timedelta(days=2)) == []


async def test_what_partners_get_is_not_the_distributors(company: Company) -> None:
    """Keys and statements are notified to their own organisation alone."""
    key = uuid4()
    await company.happens("key.near-expiry", company.partner, key, validUntil="2026-04-01T00:00:00Z")
    assert await company.mailed() == ["partner"]
    assert company.last.subject == f"The API key {key} expires at 1 Apr 2026, 00:00 UTC"
    await company.happens("key.expire", company.distributor, key)
    assert await company.mailed(timedelta(hours=1)) == ["distributor"]


async def test_a_mail_server_that_is_away_loses_nothing(company: Company) -> None:
    account = await company.cast.account(company.partner, TB)
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    company.outbox.fails = Deferred("Later.", UnavailableCode.MAIL_UNAVAILABLE)
    assert await company.mailed() == []
    company.outbox.fails = None
    assert await company.mailed(timedelta(minutes=29)) == []
    assert await company.mailed(timedelta(minutes=1)) == ["partner"]


async def test_a_mail_that_cannot_be_made_keeps_no_other(company: Company) -> None:
    account = await company.cast.account(company.partner, TB)
    await company.happens("account.reach-level", company.partner, account)  # without numbers, as no program writes it
    with pytest.raises(KeyError):
        await company.mailed()
    await company.happens("partner.reach-level", company.partner, company.partner.organisation_id, **ALERT)
    assert await company.mailed(timedelta(minutes=1)) == ["distributor"]
    with pytest.raises(KeyError):
        await company.mailed(timedelta(days=1))


async def test_a_mail_that_is_refused_keeps_no_other(company: Company) -> None:
    account = await company.cast.account(company.partner, TB)
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    company.outbox.fails = Conflict("Refused.", ConflictCode.MAIL_REFUSED)
    assert await company.mailed() == []
    company.outbox.fails = None
    await company.happens("partner.reach-level", company.partner, company.partner.organisation_id, **ALERT)
    assert await company.mailed(timedelta(minutes=1)) == ["distributor"]


async def test_what_happens_while_a_mail_is_written_is_mailed_once(company: Company) -> None:
    account = await company.cast.account(company.partner, TB)
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    await company.cast.database.transaction(actions.queue_mails, company.now)
    await company.happens("account.exceed", company.partner, account, **ALERT)
    await actions.send_due(company.services, company.now)
    assert company.last.subject == "2 notifications of Valley"
    assert await company.mailed(timedelta(hours=2)) == []
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    assert await company.mailed(timedelta(hours=2)) == ["partner"]


async def test_the_mail_has_two_forms_and_can_be_stopped(company: Company, tmp_path: Path) -> None:
    account = await company.cast.account(company.partner, TB, name="<b>Bold & Co</b>")
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    assert await company.mailed() == ["partner"]
    mail = message_from_bytes(bytes(written(company.last, "console@example.org")), policy=default)
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "<b>Bold & Co</b> uses 91 %" in plain.get_content()
    assert "&lt;b&gt;Bold &amp; Co&lt;/b&gt; uses 91 %" in html.get_content()
    assert "http" not in html.get_content().replace("https://console.example.org", "")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(mail["List-Unsubscribe"]).startswith("<https://console.example.org/unsubscribe/")
    (tmp_path / "mail.html").write_text(html.get_content())


async def test_the_weekly_mail_says_what_comes(company: Company, tmp_path: Path) -> None:
    """What was chosen as weekly, and of all that the member is mailed about what comes, whether or not something has
    happened; nothing where nothing comes."""
    run, partner = company.cast.database.run, company.partner
    weekly = await company.member("weekly", partner)
    await company.member("weekly of others", company.distributor)
    kinds = {one.kind: Delivery.WEEKLY for one in await run(queries.preferences, weekly.via_id or uuid4())}
    await run(actions.change_preferences, weekly, {**kinds, "keys": Delivery.NONE})
    account = await company.cast.account(partner, TB, name="<i>Bakery</i>")
    later = await company.cast.account(partner, TB, name="Later")
    for one, days in ((account, 10), (later, 20)):
        await company.cast.row(
            "update storage_account set deletion_requested_at = %s, pending_deleted_at = %s where id = %s returning 1",
            *(NOW, NOW + timedelta(days=days), one),
        )
    await company.cast.key(partner, valid_until=NOW + timedelta(days=3))
    # Sunday noon; the mail goes out on Monday at seven.
    await company.happens("account.reach-level", partner, account, **ALERT)
    await company.mailed()
    assert "weekly" in await company.mailed(timedelta(hours=19))
    mail = company.outbox.sent[-1]
    assert mail.subject == "<i>Bakery</i> uses 91 % of its allocation: 910 GB of 1 TB"
    assert "What comes" not in mail.text
    # A week on nothing has happened, and one of the accounts is deleted in two days.
    assert await company.mailed(timedelta(days=6)) == []
    assert await company.mailed(timedelta(days=1)) == ["weekly"]
    assert company.last.subject == "What comes in the next 7 days at Valley"
    assert "Storage accounts that will be deleted" in company.last.text
    assert "Will be deleted on 25 Mar 2026" in company.last.text
    assert f"https://console.example.org/partner/accounts/{account}" in company.last.text
    assert "Later" not in company.last.text
    assert "for a test" not in company.last.text  # the key, of which the member is not mailed
    assert company.last.html is not None
    assert "&lt;i&gt;Bakery&lt;/i&gt;" in company.last.html
    (tmp_path / "weekly.html").write_text(company.last.html)
    await company.cast.row(
        "update storage_account set pending_deleted_at = null, deletion_requested_at = null returning 1"
    )
    assert await company.mailed(timedelta(days=7)) == []
    await company.cast.row("update member set locked_at = %s returning 1", NOW)
    await company.cast.row(
        "update storage_account set pending_deleted_at = %s, deletion_requested_at = %s where id = %s returning 1",
        company.now + timedelta(days=9),
        NOW,
        account,
    )
    assert await company.mailed(timedelta(days=7)) == []


async def test_members_who_are_gone_or_locked_get_nothing(company: Company) -> None:
    account = await company.cast.account(company.partner, TB)
    await company.cast.row("update member set locked_at = %s returning 1", NOW)
    await company.happens("account.reach-level", company.partner, account, **ALERT)
    assert await company.mailed() == []


@pytest.mark.parametrize(
    ("delivery", "now", "zone", "mailed", "expected"),
    [
        ("at_once", "2026-03-15T12:00", "UTC", None, "2026-03-15T12:00"),
        ("at_once", "2026-03-15T12:00", "UTC", "2026-03-15T11:30", "2026-03-15T12:30"),
        ("at_once", "2026-03-15T12:00", "UTC", "2026-03-15T09:30", "2026-03-15T12:00"),
        ("daily", "2026-03-15T12:00", "UTC", None, "2026-03-16T07:00"),
        ("daily", "2026-03-15T06:59", "UTC", None, "2026-03-15T07:00"),
        ("daily", "2026-03-15T12:00", "Pacific/Auckland", None, "2026-03-15T18:00"),
        ("daily", "2026-03-28T12:00", "Europe/Berlin", None, "2026-03-29T05:00"),
        ("weekly", "2026-03-15T12:00", "UTC", None, "2026-03-16T07:00"),
        ("weekly", "2026-03-16T06:00", "UTC", None, "2026-03-16T07:00"),
        ("weekly", "2026-03-16T08:00", "UTC", None, "2026-03-23T07:00"),
        ("weekly", "2026-03-15T12:00", "Nowhere/Town", None, "2026-03-16T07:00"),
    ],
)
def test_when_a_mail_is_due(delivery: str, now: str, zone: str, mailed: str | None, expected: str) -> None:
    at = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (now, mailed or now, expected)]
    assert due_at(Delivery(delivery), at[0], zone, at[1] if mailed else None).astimezone(UTC) == at[2]


def test_every_kind_is_of_types_that_its_organisations_see() -> None:
    from tonnage.events.event_feed import FeedReader

    for kind in KINDS:
        for organisation in kind.defaults:
            assert set(kind.types) <= set(FeedReader(uuid4(), organisation).types())
