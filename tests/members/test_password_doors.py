"""What a member's password has to be at every door, and that those of before go on to work."""

import asyncio
import re
import uuid
from dataclasses import dataclass

import httpx
import pytest

from tests.api.conftest import AccountData, AppClient, client, data
from tests.authentication.members import FakeOutbox, Person, cheap, person, services_of
from tests.cast import NOW, Cast, with_role
from tests.cli.command import Command
from tests.console.guests import browser, send, sign_in
from tests.console.test_team import colleague
from tonnage.access.actor import Actor, Role
from tonnage.authentication.jobs import send_reset
from tonnage.errors import Conflict
from tonnage.mail import Mailer
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember

__all__ = ["browser", "client", "data"]
"""The fixtures of the application and of a guest."""

pytestmark = pytest.mark.anyio

COMMON, NO_CLASSES, SHORT = "Sunshine2026!", "correct horse battery", "q-7-Q-7-q"


@dataclass
class Refusals:
    """The passwords that a door refuses, and with what."""

    own: str
    email: str

    def cases(self) -> tuple[tuple[str, str], ...]:
        return (
            (COMMON, "commonest"),
            (SHORT, "10 to 128"),
            (f"{self.own.split()[-1]}-qz1", "must not be made of"),
            (f"{self.email.partition('@')[0]}-1", "must not be made of"),
        )


async def name_of(client: AppClient, actor: Actor) -> str:
    (name,) = await client.cast.row("select name from organisation where id = %s", actor.organisation_id)
    return name


async def test_the_console_refuses_what_is_guessed_first(client: AppClient, data: AccountData) -> None:
    admin = await client.sign_in(data.distributor)
    organisation, email = await name_of(client, data.distributor), f"m{uuid.uuid4().hex[:12]}@example.org"
    fields = {"email": email, "name": "Ann", "role": "viewer"}
    for password, said in Refusals(organisation, email).cases():
        refused = await admin.send("/team/new", {**fields, "password": password})
        assert refused.status_code == 422
        assert said in refused.text, password
    assert (await admin.send("/team/new", {**fields, "password": NO_CLASSES})).status_code == 303
    ann = await colleague(client, data.distributor)
    (known,) = await client.cast.row("select email from member where id = %s", ann)
    for password, said in Refusals(organisation, known).cases():
        refused = await admin.send(f"/team/{ann}/password", {"password": password})
        assert refused.status_code == 422
        assert said in refused.text, password
    assert (await admin.send(f"/team/{ann}/password", {"password": NO_CLASSES})).status_code == 303


async def test_a_partners_members_are_compared_with_their_own_organisation(
    client: AppClient, data: AccountData
) -> None:
    browser = await client.sign_in(data.distributor)
    path = f"/distributor/partners/{data.partner.organisation_id}/members/new"
    fields = {"email": f"m{uuid.uuid4().hex[:12]}@example.org", "role": "viewer"}
    partner = (await name_of(client, data.partner)).split()[-1]
    refused = await browser.send(path, {**fields, "password": f"{partner}-1"})
    assert (refused.status_code, "must not be made of" in refused.text) == (422, True)
    distributor = (await name_of(client, data.distributor)).split()[-1]
    assert (await browser.send(path, {**fields, "password": f"{distributor}-1"})).status_code == 303


async def test_a_password_of_before_signs_in_and_is_changed_to_a_good_one(
    client: AppClient, browser: httpx.AsyncClient
) -> None:
    distributor = await client.cast.distributor()
    email = f"m{uuid.uuid4().hex[:12]}@example.org"
    old = NewMember(email, Role.VIEWER, await cheap().hash("Password1"))
    made = await client.cast.database.run(create_team_member, distributor, old, NOW)
    ann = Person(client.cast.database, made.id, email, with_role(distributor, Role.VIEWER))
    assert (await sign_in(browser, ann, "Password1")).status_code == 303
    path = "/profile/password"
    for password, said in Refusals(await name_of(client, distributor), email).cases():
        refused = await send(browser, path, {"current": "Password1", "new": password})
        assert refused.status_code == 422
        assert said in refused.text, password
        assert 'id="new-error"' in refused.text
    assert (await send(browser, path, {"current": "Password1", "new": NO_CLASSES})).status_code == 303


async def test_a_reset_refuses_it_and_keeps_the_link(client: AppClient, browser: httpx.AsyncClient) -> None:
    distributor = await client.cast.distributor()
    ann = await person(client.cast, distributor)
    outbox = FakeOutbox()
    await send_reset(services_of(ann, lambda: NOW, Mailer(outbox, "http://tonnage")), str(ann.id))
    (link,) = re.findall(r"http://tonnage(/sign-in/\S+)", outbox.sent[0].text)
    page = await browser.get(link, follow_redirects=True)
    mark = re.findall(r'name="link" value="([^"]+)"', page.text)[0]
    for password, said in Refusals(await name_of(client, distributor), ann.email).cases():
        refused = await send(browser, page.url.path, {"password": password, "link": mark})
        assert refused.status_code == 422
        assert said in refused.text, password
    assert (await send(browser, page.url.path, {"password": NO_CLASSES, "link": mark})).status_code == 303


async def test_commands_refuse_it(conninfo: str, cast: Cast) -> None:
    distributor = await cast.distributor()
    (organisation,) = await cast.row("select name from organisation where id = %s", distributor.organisation_id)
    ann = await person(cast, distributor)
    own = (
        "--organisation",
        str(distributor.organisation_id),
        "--role",
        "viewer",
        "--email",
        "newcomer-1@example.org",
    )

    def misused(password: str, *arguments: str) -> str:
        return Command(conninfo).misused(*arguments, stdin=f"{password}\n")

    for password, said in Refusals(organisation, "newcomer-1@example.org").cases():
        assert said in await asyncio.to_thread(misused, password, "member", "create", *own)
    for password, said in Refusals(organisation, ann.email).cases():
        assert said in await asyncio.to_thread(misused, password, "member", "set-password", ann.email)
    for password, said in Refusals("Operator", "newcomer-1@example.org").cases():
        command = ("operator", "create", "--email", "newcomer-1@example.org")
        assert said in await asyncio.to_thread(misused, password, *command)


async def test_the_published_api_keeps_its_rule_and_refuses_the_commonest(client: AppClient, data: AccountData) -> None:
    path = f"/v1/partner/{data.partner.organisation_id}/member"
    key = await client.key(data.distributor)

    async def answer(password: str) -> int:
        body = {"email": f"m{uuid.uuid4().hex}@example.org", "password": password, "role": "viewer"}
        return (await client.call("POST", path, key, json=body)).status_code

    assert [await answer(password) for password in ("Password1", COMMON, NO_CLASSES)] == [422, 422, 422]
    assert await answer("q-7-Q-7-q") == 201


async def test_a_taken_address_says_the_same_wherever_it_is(client: AppClient, data: AccountData) -> None:
    """An organisation must not learn who the customers and members of another are."""
    stranger = await client.cast.distributor()
    known, own = await person(client.cast, data.distributor), await person(client.cast, stranger)
    said: set[str] = set()
    for email in (known.email, own.email):
        new = NewMember(email, Role.VIEWER, "hash")
        with pytest.raises(Conflict) as refusal:
            await client.cast.database.run(create_team_member, stranger, new, NOW)
        said.add(str(refusal.value).replace(email, "ADDRESS"))
    assert said == {"The e-mail address ADDRESS cannot be used for a new member. Use another one."}
