"""What is stored about people and organisations: whole copies without secrets, and nothing left after an erasure."""

import contextlib
import json
import re
import subprocess
from asyncio import to_thread
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import psycopg
import pytest

from tests.api.conftest import AppClient, application
from tests.authentication.members import WORD, Person, key_file, services_of
from tests.billing_profiles.profiles import of_country
from tests.cast import TB, Cast
from tests.cli.command import Command
from tests.clocks import clocks
from tests.roles import as_owner
from tests.schema import program
from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.change_actions import suspend_account
from tonnage.authentication import reset_actions
from tonnage.db import connect
from tonnage.devices.actions import make_link
from tonnage.errors import TonnageError
from tonnage.idempotency.jobs import delete_expired
from tonnage.personal_data.queries import MEMBER_TABLES, ORGANISATION_TABLES, SECRETS
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services

pytestmark = pytest.mark.anyio

NOT_COPIED = {
    "account_usage": "totals of daily_usage",
    "counted_event": "numbers of the present hour, on their way into audit_entry",
    "audit_sequence": "proofs about audit_entry",
    "audit_dropped": "the same",
    "notification_preference": "what members have chosen; in the copies of members",
    "inbox_reading": "how far members have read",
    "notification_mail": "mails that are to be sent, and when the last one was",
    "alert": "what daily_usage and the allocations give",
    "forecast": "what daily_usage and the allocations give",
    "event": "which entries of audit_entry are in the feed, for 30 days",
    "partner_usage": "totals of daily_usage",
    "usage_sample": "hourly readings, deleted after their retention; the days remain",
    "traffic_hour": "the same",
    "usage_import_line": "readings on their way into usage_sample",
    "month_net": "sums of what daily_usage, terms and prices give; statements are copied",
    "month_change": "what is to be computed again, for hours",
    "idempotency_key": "responses of the last 24 hours",
    "device_link": "links that work for minutes",
    "password_reset": "links that work for an hour",
    "simulated_user": "of a sandbox",
    "simulated_key": "the same",
    "usage_level": "the same",
    "recovery_code": "secrets",
    "session": "of members: in their own copies",
    "known_device": "the same",
    "sign_in_throttle": "the same",
    "sign_in_failures": "the same",
}
"""Tables of organisations and members that the copy of an organisation leaves out, and why."""
_OWNERS = {"organisation_id", "distributor_id", "partner_id", "contract_id", "account_id", "member_id", "actor_id"}


def columns(conninfo: str) -> dict[str, dict[str, str]]:
    """The names and types of the columns of each table, partitions left out."""
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute("""
            select c.relname, a.attname, format_type(a.atttypid, null)
            from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                and a.attnum > 0 and not a.attisdropped and c.relname not like 'procrastinate%'
        """).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def test_every_table_is_copied_or_left_out_for_a_reason(conninfo: str) -> None:
    tables = columns(conninfo)
    theirs = {table for table, names in tables.items() if _OWNERS & set(names)}
    assert theirs - set(ORGANISATION_TABLES) == set(NOT_COPIED)
    of_sellers = {"price_book", "price_version", "statement_line"}
    without_owner = {"organisation", "partner", "audit_entry_client"} | of_sellers
    assert set(ORGANISATION_TABLES) - theirs == without_owner - theirs
    of_members = {table for table, names in tables.items() if "member_id" in names}
    assert of_members - set(MEMBER_TABLES) == {"device_link", "password_reset", "recovery_code"}


def test_no_secret_is_copied(conninfo: str) -> None:
    tables = columns(conninfo)
    for table in {**ORGANISATION_TABLES, **MEMBER_TABLES}:
        secret = {
            name
            for name, kind in tables[table].items()
            if kind == "bytea" or re.search("hash|digest|sealed|seed", name)
        }
        assert secret <= set(SECRETS), table


@dataclass
class Installation:
    """An API on an exclusive database."""

    conninfo: str
    client: AppClient

    def dump(self) -> str:
        command = [program("pg_dump"), "--data-only", f"--dbname={as_owner(self.conninfo)}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.lower()


@pytest.fixture
async def installation(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> AsyncGenerator[Installation]:
    with new_database() as conninfo:
        async with (
            connect(conninfo) as database,
            application(conninfo, await Cast.of(database), key_file=key_file(tmp_path)) as client,
        ):
            yield Installation(conninfo, client)


async def partner_of(client: AppClient) -> tuple[Actor, Actor]:
    """A distributor and its partner."""
    cast = client.cast
    await cast.region()
    distributor = await cast.distributor()
    return distributor, await cast.partner(distributor, await cast.contract(distributor), 10 * TB)


async def lively_member(client: AppClient, distributor: Actor, partner: Actor, email: str, name: str) -> Person:
    """A member that has left every trace that a member can leave."""
    cast, now = client.cast, client.clock.now
    made = await client.call(
        "POST",
        f"/v1/partner/{partner.organisation_id}/member",
        await client.key(distributor),
        json={"email": email, "name": name, "password": WORD, "role": "admin"},
        headers={"Idempotency-Key": "made-once"},
    )
    assert made.status_code == 201, made.text
    member = UUID(made.json()["id"])
    actor = Actor(partner.organisation_id, Kind.PARTNER, Role.ADMIN, "member", member)
    someone = Person(cast.database, member, email, actor)
    with contextlib.suppress(TonnageError):
        await someone.sign_in("Wrong-password-1", now)
    await someone.signed_in_member(now)
    await cast.database.run(make_link, cast.operator, email, now)
    for ask in (reset_actions.request_reset, reset_actions.request_link):
        await cast.database.run(ask, email, someone.client, now)
    return someone


async def test_nothing_of_a_removed_member_is_left(installation: Installation) -> None:
    client = installation.client
    distributor, partner = await partner_of(client)
    someone = await lively_member(client, distributor, partner, "Wilhelmina.Quist@zebra.example", "Wilhelmina Quist")
    assert {"wilhelmina", "quist", "zebra"} <= set(re.findall("wilhelmina|quist|zebra", installation.dump()))
    path = f"/v1/partner/{partner.organisation_id}/member/{someone.id}"
    assert (await client.call("DELETE", path, await client.key(distributor))).status_code == 204
    later = client.clock.now + timedelta(hours=25)
    await delete_expired(services_of(someone, lambda: later), "")
    assert re.findall(".*(?:wilhelmina|quist|zebra).*", installation.dump()) == []


def names_in(installation: Installation) -> set[tuple[str, str]]:
    """The tables that have one of the words, and the word."""
    return {
        (table, word)
        for table, rows in re.findall(r"^copy public\.(\w+)(.*?)^\\\.$", installation.dump(), re.DOTALL | re.MULTILINE)
        for word in re.findall("zebra|wilhelmina|quagga", rows)
    }


async def test_of_erased_organisations_only_the_audit_log_has_names(installation: Installation) -> None:
    """A partner and its distributor, with whose names those of another partner are erased."""
    client, tonnage = installation.client, Command(installation.conninfo)
    cast = client.cast
    await cast.region()
    distributor = await cast.distributor("Zebra Distribution")
    contract = await cast.contract(distributor, details="Zebra terms")
    erased, other = [await cast.partner(distributor, contract, TB, name=f"Zebra {name}") for name in ("Ltd", "Inc")]
    path, admin = f"/v1/partner/{erased.organisation_id}", await client.key(distributor)
    for organisation in (erased, distributor):
        await to_thread(
            *(tonnage.ok, "key", "create", "--organisation", str(organisation.organisation_id)),
            *("--description", "Zebra's backups", "--role", "viewer"),
        )
    owner = {"contactEmail": "wilhelmina@quagga.example", "password": WORD}
    body = {"name": "Zebra Archive", "allocatedCapacity": TB, "allowOverdraft": False, "clientAccount": owner}
    made = await client.call("POST", f"{path}/storage-accounts", admin, json=body, headers={"Idempotency-Key": "one"})
    assert made.status_code == 201, made.text
    number = made.json()["clientAccountId"]
    for path_of, key in (("/partners/" + str(erased.organisation_id), admin), ("", await client.key(erased)),
                         (f"/storage-accounts/{number}", await client.key(erased))):  # fmt: skip
        profile = of_country("DE", contactEmail="wilhelmina@zebra.example", legalName="Zebra GmbH")
        written = await client.call("PUT", f"/ext/v1{path_of}/billing-profile", key, json=profile)
        assert written.status_code == 200, written.text
    footer = await client.call("PUT", "/ext/v1/billing-settings", await client.key(erased), json={"footer": "Zebra"})
    assert footer.status_code == 200, footer.text
    suspended = (erased, erased.organisation_id, int(number), "Zebra unpaid", client.clock.now)
    await cast.database.run(suspend_account, *suspended)
    account = f"{path}/storage-accounts/{number}"
    assert (await client.call("DELETE", account, admin)).status_code == 204
    await cast.purge(client.clock.now + timedelta(days=100))

    async def close_and_erase(group: str, organisation: Actor) -> None:
        own = str(organisation.organisation_id)
        refused = await to_thread(tonnage, "organisation", "erase", own, "--yes")
        assert (refused.exit_code, refused.stderr.split(".")[0]) == (1, "Error: The organisation is open")
        await to_thread(tonnage.ok, group, "close", own, "--yes")
        await to_thread(tonnage.ok, "organisation", "erase", own, "--yes")

    locked = ("distributor", "lock", str(distributor.organisation_id), "--reason", "Zebra unpaid")
    await to_thread(tonnage.ok, *locked)
    await close_and_erase("partner", erased)
    assert ("storage_account", "zebra") not in await to_thread(names_in, installation)
    await to_thread(tonnage.ok, "partner", "close", str(other.organisation_id), "--yes")
    await close_and_erase("distributor", distributor)
    later = client.clock.now + timedelta(hours=25)
    await delete_expired(Services(cast.database, OpenBackends(cast.database, None), **clocks(lambda: later)), "")
    assert await to_thread(names_in, installation) == {("audit_entry", "zebra")}


async def test_the_copy_of_a_member(installation: Installation) -> None:
    client, tonnage = installation.client, Command(installation.conninfo)
    distributor, partner = await partner_of(client)
    someone = await lively_member(client, distributor, partner, "ann@example.org", "Ann")
    copy = json.loads(await to_thread(tonnage.ok, "member", "export", "ann@example.org"))
    assert set(copy) == set(MEMBER_TABLES)
    assert [(row["id"], row["email"], row["name"]) for row in copy["member"]] == [
        (str(someone.id), someone.email, "Ann")
    ]
    assert [row["user_agent"] for row in copy["session"]] == [someone.client.agent]
    actions = [row["action"] for row in copy["audit_entry"]]
    assert (actions[0], actions[-1]) == ("member.create", "member.export")
    assert (
        await to_thread(tonnage.refused, "member", "export", "bob@example.org")
        == "Error: There is no member with the e-mail address bob@example.org.\n"
    )


async def test_the_copy_of_an_organisation(installation: Installation, tmp_path: Path) -> None:
    client, tonnage = installation.client, Command(installation.conninfo)
    distributor, partner = await partner_of(client)
    account = await client.cast.account(partner, TB)
    other, _ = await partner_of(client)
    file = tmp_path / "copy.zip"
    await to_thread(tonnage.ok, "organisation", "export", str(distributor.organisation_id), "--output", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    with ZipFile(file) as archive:
        rows = {
            name.removesuffix(".jsonl"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
        }
    assert list(rows) == list(ORGANISATION_TABLES)
    both = [str(distributor.organisation_id), str(partner.organisation_id)]
    assert [row["id"] for row in rows["organisation"]] == both
    assert [row["id"] for row in rows["storage_account"]] == [account]
    assert "password_hash" not in rows["storage_account"][0]
    assert {row["organisation_id"] for row in rows["audit_entry"]} == set(both)
    assert str(other.organisation_id) not in json.dumps(rows)
    again = await to_thread(
        tonnage.refused, "organisation", "export", str(distributor.organisation_id), "--output", str(file)
    )
    assert again == f"Error: Cannot write {file}: File exists.\n"


def test_an_unknown_organisation(conninfo: str, tmp_path: Path) -> None:
    tonnage, nobody = Command(conninfo), str(UUID(int=5))
    file = tmp_path / "copy.zip"
    sentence = f"Error: There is no organisation {nobody}.\n"
    assert tonnage.refused("organisation", "export", nobody, "--output", str(file)) == sentence
    assert tonnage.refused("organisation", "erase", nobody, "--yes") == sentence
    assert not file.exists()
