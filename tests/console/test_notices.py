"""Mails about a login: who gets one of what, in which words, and when there is none."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, FakeOutbox, Person, cheap, key_file, person, services_of
from tests.authentication.members import client as some_client
from tests.cast import NOW
from tests.console.guests import ann, browser, sign_in
from tonnage.access.actor import Role
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.authentication import credential_actions
from tonnage.db import Connection
from tonnage.mail import LogOutbox, Mailer, Message
from tonnage.members.actions import change_member, delete_member
from tonnage.members.member import MemberChange
from tonnage.notices import jobs

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

ORIGIN = "https://console.example"


@dataclass
class Post:
    """Runs the jobs of notices that were deferred, and keeps the mails."""

    of: Person
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    begun: int = 0

    async def mails(self, outbox: Any = None) -> list[Message]:
        """The mails since the last call, to anybody."""
        self.outbox.sent.clear()
        services = services_of(self.of, lambda: NOW, Mailer(outbox or self.outbox, ORIGIN))
        for name, job in (("notices.notify", jobs.notify), ("notices.send", jobs.send)):
            for subject in await self.of.database.run(_subjects, name, self.begun):
                await job(services, subject)
        self.begun = await self.of.database.run(_last)
        return list(self.outbox.sent)


async def _subjects(conn: Connection, name: str, after: int) -> list[str]:
    cursor = await conn.execute(
        "select args->>'subject' from procrastinate_jobs where task_name = %s and id > %s order by id", [name, after]
    )
    return [subject for (subject,) in await cursor.fetchall()]


async def _last(conn: Connection) -> int:
    row = await (await conn.execute("select coalesce(max(id), 0) from procrastinate_jobs")).fetchone()
    assert row
    return row[0]


@pytest.fixture
async def post(ann: Person) -> Post:
    return Post(ann, begun=await ann.database.run(_last))


@dataclass
class Team:
    """Ann, an admin; Bob, whose login changes; and a key of the operator's."""

    ann: Person
    bob: Person
    keys: Path

    async def run(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await self.ann.database.transaction(work, *args)

    @property
    def organisation(self) -> UUID:
        return self.ann.actor.organisation_id


Change: TypeAlias = Callable[[Team], Awaitable[object]]


async def own_password(team: Team) -> None:
    visitor = await team.bob.signed_in_member()
    bob = team.bob
    await credential_actions.change_own_password(
        bob.database, cheap(), visitor, "Sesame-opens-1", OTHER_WORD, bob.client, NOW
    )


async def password(team: Team) -> None:
    await team.run(credential_actions.set_password, team.ann.actor, team.organisation, team.bob.id, "hash")


async def add_factor(team: Team) -> None:
    await team.bob.enrol(team.keys)


async def reset_factor(team: Team) -> None:
    await team.run(credential_actions.reset_second_factor, team.ann.actor, team.organisation, team.bob.id)


async def role(team: Team) -> None:
    await team.run(change_member, team.ann.actor, team.organisation, team.bob.id, MemberChange(role=Role.VIEWER))


async def new_browser(team: Team) -> None:
    for _ in range(2):  # the first is the first of all
        await team.bob.sign_in(at=some_client())


TO_BOB: dict[str, tuple[Change, str]] = {
    "own password": (own_password, "Your password was changed"),
    "password": (password, "Your password was changed"),
    "second factor": (add_factor, "Two-factor authentication was set up"),
    "reset": (reset_factor, "Your two-factor authentication was reset"),
    "role": (role, "Your role was changed"),
    "new browser": (new_browser, "Sign-in in a new browser"),
}


@pytest.fixture
async def team(ann: Person, client: AppClient, post: Post, tmp_path: Path) -> Team:
    return Team(ann, await person(client.cast, ann.actor, Role.STAFF), key_file(tmp_path))


@pytest.mark.parametrize("what", TO_BOB)
async def test_the_member_gets_a_mail(what: str, team: Team, post: Post) -> None:
    change, subject = TO_BOB[what]
    await change(team)
    (mail,) = await post.mails()
    assert (mail.to, mail.subject) == (team.bob.email, subject)
    assert mail.text.startswith(f"{subject}.\n\nYour login: {team.bob.email}\n")
    assert f"{ORIGIN}/sign-in/forgotten" in mail.text
    assert await post.mails() == []


async def test_admins_get_a_mail_about_their_api_keys(team: Team, post: Post, client: AppClient) -> None:
    eve = await person(client.cast, team.ann.actor)
    await client.cast.row("update member set locked_at = %s where id = %s returning id", NOW, eve.id)
    details = NewKey("Invoices", Role.VIEWER)
    key, facts = await team.run(api_keys.create_key, client.cast.operator, team.organisation, details, NOW)
    await team.run(api_keys.revoke_key, team.ann.actor, facts.id, NOW)
    await team.run(api_keys.revoke_key, team.ann.actor, facts.id, NOW)
    mails = await post.mails()
    assert [(mail.to, mail.subject) for mail in mails] == [
        (team.ann.email, "An API key was created"),
        (team.ann.email, "An API key was revoked"),
    ]
    assert f"API key: Invoices ({key[:8]}…)\nRole: viewer\n" in mails[0].text
    assert "By: the operator, at the command line" in mails[0].text


async def test_where_and_when_in_the_readers_time_zone(
    browser: httpx.AsyncClient, ann: Person, post: Post, client: AppClient
) -> None:
    assert (await sign_in(browser, ann)).status_code == 303
    assert await post.mails() == []  # the first of all
    browser.cookies.delete("tonnage-session")
    assert (await sign_in(browser, ann)).status_code == 303
    assert await post.mails() == []  # a known browser
    browser.cookies.clear()
    await client.cast.row(
        "update member set time_zone = 'Asia/Tokyo', locale = 'de_DE' where id = %s returning id", ann.id
    )
    assert (await sign_in(browser, ann)).status_code == 303
    (mail,) = await post.mails()
    at, address = await client.cast.row(
        """
        select a.at, host(c.address) from audit_entry a join audit_entry_client c on c.entry_id = a.id
        where a.subject_id = %s order by a.id desc limit 1
        """,
        str(ann.id),
    )
    there: datetime = at + timedelta(hours=9)
    assert f"{there:%d.%m.%Y}, {there:%H:%M}" in mail.text
    assert f"From the network address: {address}\n" in mail.text


async def test_a_partner_is_not_told_its_distributors_address(client: AppClient, ann: Person, post: Post) -> None:
    partner = await client.cast.partner(ann.actor, await client.cast.contract(ann.actor))
    eve = await person(client.cast, partner)
    staff = await client.sign_in(ann.actor)
    path = f"/distributor/partners/{partner.organisation_id}/members/{eve.id}/password"
    assert (await staff.send(path, {"password": OTHER_WORD})).status_code == 303
    (mail,) = [mail for mail in await post.mails() if mail.to == eve.email]
    (name,) = await client.cast.row("select name from organisation where id = %s", ann.actor.organisation_id)
    assert f"By: {name}\n" in mail.text
    assert "127.0.0.1" not in mail.text


async def test_there_is_no_mail_without_a_server_and_none_to_who_is_gone(team: Team, post: Post) -> None:
    await role(team)
    assert await post.mails(LogOutbox()) == []
    await password(team)
    await team.run(delete_member, team.ann.actor, team.organisation, team.bob.id)
    assert await post.mails() == []
    await team.run(change_member, team.ann.actor, team.organisation, team.ann.id, MemberChange(name="Ann"))
    assert await post.mails() == []
