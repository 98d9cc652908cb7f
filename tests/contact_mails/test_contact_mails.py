"""Alerts are mailed to the contact of a storage account: whom, when and what."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import pytest

from tests.authentication.members import FakeOutbox, key_file
from tests.cast import NOW, TB, Cast
from tests.clocks import clocks
from tests.events.test_feed import published
from tonnage.access.actor import Actor, Role, system_stamp
from tonnage.alerts.actions import evaluate
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.settings_actions import set_settings
from tonnage.contact_mails import actions
from tonnage.contact_mails.contact_mail import ContactMail
from tonnage.contact_mails.stop_link import StopLink, read_token
from tonnage.db import connect
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Forbidden
from tonnage.mail import Deferred, Mailer, Message, written
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

GB = 10**9


@dataclass
class Shop:
    """A partner with an account of 1 TB."""

    cast: Cast
    key_file: Path
    partner: Actor
    account: int
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    now: datetime = NOW

    @property
    def services(self) -> Services:
        return Services(
            self.cast.database,
            OpenBackends(self.cast.database, None),
            **clocks(lambda: self.now),
            mailer=Mailer(self.outbox, "https://console.example.org"),
            key_file=self.key_file,
        )

    async def write(self, text: LiteralString, *params: object) -> None:
        async def run(conn: Any) -> None:
            await conn.execute(text, params)

        await self.cast.database.run(run)

    async def uses(self, gigabytes: int, account: int | None = None) -> None:
        """Sets the use as samples would, and evaluates the levels."""
        await self.write(
            "update account_usage set used = %s where account_id = %s", gigabytes * GB, account or self.account
        )
        await evaluate(self.cast.database, self.now)
        await published(self.cast.database)

    async def mailed(self, after: timedelta = timedelta()) -> list[str]:
        """Runs the job after that time; the subjects of what was mailed."""
        self.now += after
        before = len(self.outbox.sent)
        await actions.notify(self.services)
        return [message.subject for message in self.outbox.sent[before:]]

    async def address(self, account: int | None = None) -> str:
        (email,) = await self.cast.row(
            "select contact_email from storage_account where id = %s", account or self.account
        )
        return email

    @property
    def last(self) -> Message:
        return self.outbox.sent[-1]

    @property
    def link(self) -> StopLink:
        """Of the last mail."""
        found = read_token(str(self.last.unsubscribe).rpartition("/")[2])
        assert found is not None
        return found

    async def stop(self, link: StopLink) -> None:
        await self.cast.database.transaction(actions.stop_mails, link, self.now, system_stamp())

    async def rows(self) -> int:
        return (await self.cast.row("select count(*) from contact_mail"))[0]


@pytest.fixture
async def shop(new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path) -> AsyncGenerator[Shop]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            await cast.region()
            distributor = await cast.distributor("North")
            partner = await cast.partner(distributor, await cast.contract(distributor), 100 * TB, name="Valley")
            account = await cast.account(partner, TB, name="Bakery")
            await published(database)
            made = Shop(cast, key_file(tmp_path), partner, account)
            assert await made.mailed() == []
            yield made


async def test_a_level_is_mailed_to_the_contact_once(shop: Shop) -> None:
    await shop.uses(499)
    assert await shop.mailed() == []
    await shop.uses(812)
    assert await shop.mailed() == ["81 % of the storage of Bakery is in use"]
    assert shop.last.to == await shop.address()
    assert shop.last.sender_name == "Valley"
    text = shop.last.text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "Bakery uses 812 GB of 1 TB. It has been at 80 % or more since 15 Mar 2026." in text
    assert "Ask Valley" in shop.last.text
    assert await shop.mailed(timedelta(days=2)) == []


async def test_on_the_way_down_and_armed_again_nothing_is_mailed(shop: Shop) -> None:
    await shop.uses(910)
    assert len(await shop.mailed()) == 1
    await shop.uses(300)
    assert await shop.mailed(timedelta(hours=2)) == []
    # Up again: a crossing like the first.
    await shop.uses(600)
    assert await shop.mailed(timedelta(hours=2)) == ["60 % of the storage of Bakery is in use"]


async def test_at_most_one_an_hour_which_says_what_is_so_then(shop: Shop) -> None:
    await shop.uses(510)
    assert len(await shop.mailed()) == 1
    await shop.uses(810)
    assert await shop.mailed(timedelta(minutes=30)) == []
    await shop.uses(1000)
    assert await shop.mailed(timedelta(minutes=29)) == []
    assert await shop.mailed(timedelta(minutes=1)) == ["All storage of Bakery is in use"]
    # What is over when its mail is due was nothing.
    await shop.uses(700)
    await shop.uses(1010)
    await shop.uses(700)
    assert await shop.mailed(timedelta(hours=2)) == []


async def test_10_000_crossings_at_once_make_one_mail_for_each_address(shop: Shop) -> None:
    second = await shop.cast.account(shop.partner, TB, name="Brewery")
    await shop.uses(910)
    await shop.uses(910, second)
    for account in (shop.account, second):
        await shop.write(
            """insert into audit_entry (actor_kind, organisation_id, action, subject_id, after)
            select 'job', %s, 'account.reach-level', %s, '{}' from generate_series(1, 5000)""",
            shop.partner.organisation_id,
            str(account),
        )
    await published(shop.cast.database)
    assert len(await shop.mailed()) == 2
    assert {message.to for message in shop.outbox.sent} == {await shop.address(), await shop.address(second)}
    for _ in range(3):
        assert await shop.mailed(timedelta(hours=2)) == []


@pytest.mark.parametrize(
    "state",
    [
        "update storage_account set suspended_at = now(), suspension_reason = 'x'",
        "update storage_account set deletion_requested_at = now(), pending_deleted_at = now() + interval '1 day'",
        "update partner set suspended_at = now(), suspension_reason = 'x', suspension_cause = 'person'",
        """update organisation set locked_at = now(), lock_reason = 'x', locked_by_id = operator_id()
            where kind = 'partner'""",
    ],
)
async def test_about_what_is_closed_nothing_is_mailed(shop: Shop, state: LiteralString) -> None:
    await shop.write(state)
    await shop.uses(910)
    assert await shop.mailed() == []
    assert await shop.mailed(timedelta(days=1)) == []


async def test_a_partner_decides_whether_contacts_are_mailed(shop: Shop) -> None:
    database = shop.cast.database
    with pytest.raises(Forbidden):
        await database.transaction(actions.set_contact_mails, replace(shop.partner, role=Role.STAFF), enabled=False)
    await shop.uses(510)
    await database.transaction(actions.queue_mails, shop.now)
    await database.transaction(actions.set_contact_mails, shop.partner, enabled=False)
    assert await shop.mailed() == []
    await shop.uses(810)
    assert await shop.mailed() == []
    await database.transaction(actions.set_contact_mails, shop.partner, enabled=True)
    assert await shop.mailed(timedelta(hours=2)) == []
    await shop.uses(910)
    assert len(await shop.mailed()) == 1


async def test_who_has_stopped_them_gets_none_whatever_the_partner_sets(shop: Shop) -> None:
    await shop.uses(510)
    await shop.mailed()
    link = shop.link
    await shop.uses(810)
    await shop.cast.database.transaction(actions.queue_mails, shop.now)
    await shop.stop(link)
    await shop.stop(link)
    assert await shop.mailed(timedelta(hours=2)) == []
    for enabled in (False, True):
        await shop.cast.database.transaction(actions.set_contact_mails, shop.partner, enabled=enabled)
    await shop.uses(1000)
    assert await shop.mailed(timedelta(hours=2)) == []
    (entries,) = await shop.cast.row(
        "select count(*) from audit_entry where action = 'account.stop-contact-mails' and organisation_id = %s",
        shop.partner.organisation_id,
    )
    assert entries == 1


async def test_another_address_has_nothing_of_the_old_one(shop: Shop) -> None:
    """As an import or a later version may set it: no door of ours changes an address."""
    await shop.uses(510)
    await shop.mailed()
    link = shop.link
    await shop.stop(link)
    await shop.write("update storage_account set contact_email = 'new@a.example', contact_email_key = 'new@a.example'")
    await shop.stop(link)  # by the mail to the old address
    await shop.uses(810)
    assert len(await shop.mailed()) == 1  # within the hour of the old one's
    assert shop.last.to == "new@a.example"
    # Nor is a mail that waits for the old address sent to the new one.
    await shop.uses(910)
    await shop.cast.database.transaction(actions.queue_mails, shop.now)
    await shop.write(
        "update storage_account set contact_email = 'newer@a.example', contact_email_key = 'newer@a.example'"
    )
    assert await shop.mailed(timedelta(hours=2)) == []


async def test_a_mail_server_that_is_away_loses_nothing_and_one_refusal_keeps_no_other(shop: Shop) -> None:
    await shop.uses(510)
    shop.outbox.fails = Deferred("Later.", UnavailableCode.MAIL_UNAVAILABLE)
    assert await shop.mailed() == []
    shop.outbox.fails = None
    assert await shop.mailed(timedelta(minutes=29)) == []
    assert len(await shop.mailed(timedelta(minutes=1))) == 1
    await shop.uses(810)
    shop.outbox.fails = Conflict("Refused.", ConflictCode.MAIL_REFUSED)
    assert await shop.mailed(timedelta(hours=2)) == []
    shop.outbox.fails = None
    assert await shop.mailed(timedelta(hours=2)) == []


async def test_two_workers_mail_once(shop: Shop) -> None:
    await shop.uses(910)
    await asyncio.gather(actions.notify(shop.services), actions.notify(shop.services))
    assert len(shop.outbox.sent) == 1


async def test_an_override_counts(shop: Shop) -> None:
    await shop.write(
        "update storage_account set override_capacity = %s, override_until = %s", 2 * TB, NOW + timedelta(days=9)
    )
    await shop.uses(1200)
    assert await shop.mailed() == ["60 % of the storage of Bakery is in use"]


async def test_the_mail_is_in_the_sellers_name_and_can_be_stopped(shop: Shop, tmp_path: Path) -> None:
    await shop.cast.database.run(set_settings, shop.partner, SellerSettings(locale="de_DE", colour="#8a1c4a"), NOW)
    await shop.write("update storage_account set name = '<b>Bold & Co</b>'")
    await shop.write("update organisation set name = 'Täl, Söhne' where id = %s", shop.partner.organisation_id)
    await shop.uses(1234)
    await shop.mailed()
    mail = message_from_bytes(bytes(written(shop.last, "Tonnage <console@example.org>")), policy=default)
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert mail["From"].addresses[0].display_name == "Täl, Söhne"
    assert mail["From"].addresses[0].addr_spec == "console@example.org"
    assert "1,23\N{NARROW NO-BREAK SPACE}TB" in plain.get_content()
    assert "&lt;b&gt;Bold &amp; Co&lt;/b&gt;" in html.get_content()
    assert "#8a1c4a" in html.get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = str(mail["List-Unsubscribe"]).strip("<>")
    assert stop.startswith("https://console.example.org/unsubscribe/contact/")
    for content in (plain.get_content(), html.get_content()):
        assert content.count("https://") == content.count(stop) == 1
    (tmp_path / "contact.html").write_text(html.get_content())


FULL = {
    (False, False): "When all of it is in use, new data is refused",
    (False, True): "New data is refused until you have deleted some",
    (True, False): "When all of it is in use, you can go on storing data",
    (True, True): "You can go on storing data. What is above",
}


@pytest.mark.parametrize(("overdraft", "full"), FULL)
def test_what_happens_at_100_percent(*, overdraft: bool, full: bool) -> None:
    used = TB if full else TB // 2
    mail = ContactMail(1, "a@b.example", "a@b.example", "A", uuid4(), "B", used, TB, overdraft, 1, 50, NOW, None, True)
    assert str(mail.sentences(50, NOW)[1]).startswith(FULL[overdraft, full])


async def test_replies_reach_the_seller(shop: Shop) -> None:
    await shop.write(
        "insert into billing_profile (organisation_id, keeper_id, profile, changed_at) values (%s, %s, %s, now())",
        shop.partner.organisation_id,
        shop.partner.organisation_id,
        '{"legalName": "Valley Ltd", "contactEmail": "help@valley.example"}',
    )
    await shop.uses(910)
    await shop.mailed()
    assert shop.last.reply_to == "help@valley.example"
    assert "Ask Valley: help@valley.example" in shop.last.text


async def test_a_purge_deletes_what_was_mailed(shop: Shop) -> None:
    await shop.uses(910)
    await shop.mailed()
    assert await shop.rows() == 1
    link = shop.link
    await shop.uses(0)
    await shop.write(
        "update storage_account set deletion_requested_at = %s, pending_deleted_at = %s",
        NOW - timedelta(days=60),
        NOW - timedelta(days=30),
    )
    assert await shop.cast.purge(NOW) == 1
    assert await shop.rows() == 0
    await shop.stop(link)
    assert await shop.rows() == 0
