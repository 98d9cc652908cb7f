"""`tonnage region`"""

import asyncio
import json
import os
import pty
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from testbed.gateway import ADMIN, Gateway
from tests.cast import NOW, Cast
from tests.cli.command import Command
from tests.cli.running import PATIENCE, environment, tonnage
from tests.clocks import clocks
from tonnage.db import connect
from tonnage.regions.actions import check_all
from tonnage.regions.backends import open_backends
from tonnage.sealing import create_key_file
from tonnage.services import Services

ENDPOINTS = (
    "--s3-url", "https://s3.example.com", "--iam-url", "https://iam.example.com/", "--sts-url", "http://sts:8000/x",
)  # fmt: skip


DEAD = "http://127.0.0.1:1"
"""Only root may listen on this port."""


def new_name() -> str:
    return f"r{uuid.uuid4().hex[:12]}"


def test_a_region_is_added_listed_and_removed(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    with new_database() as conninfo:
        tonnage = Command(conninfo)
        first = tonnage.json("region", "add", "eu-central-2", *ENDPOINTS)
        assert first == {
            "name": "eu-central-2",
            "s3_url": "https://s3.example.com",
            "iam_url": "https://iam.example.com",
            "sts_url": "http://sts:8000/x",
            "default": True,
            "backend": "metered",
        }
        assert "eu-west-1" in tonnage.ok("region", "add", "eu-west-1", *ENDPOINTS)
        second = {**first, "name": "eu-west-1", "default": False}
        assert tonnage.json("region", "list") == [first, second]
        table = tonnage.ok("region", "list").splitlines()
        assert [line.split()[0] for line in table] == ["Name", "eu-central-2", "eu-west-1"]
        assert "here" in table[1]
        assert "here" not in table[2]
        tonnage.ok("region", "capacity", "eu-west-1", "--physical", "2PB")
        assert tonnage.json("region", "list")[1]["physicalCapacity"] == 2 * 10**15
        assert "2 PB" in tonnage.ok("region", "list")
        tonnage.ok("region", "capacity", "eu-west-1", "--unknown")
        assert tonnage.json("region", "list") == [first, second]
        assert "There is no region nowhere" in tonnage.refused("region", "capacity", "nowhere", "--physical", "1TB")
        assert "--unknown" in tonnage.misused("region", "capacity", "eu-west-1")
        tonnage.ok("region", "remove", "eu-central-2")
        assert tonnage.json("region", "list") == [{**second, "default": True}]


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, name = Command(conninfo), new_name()
    tonnage.ok("region", "add", name, *ENDPOINTS)
    assert f"The region {name} already exists" in tonnage.refused("region", "add", name, *ENDPOINTS)
    assert "There is no region" in tonnage.refused("region", "remove", new_name())


def test_a_region_that_accounts_live_in_stays(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    async def region_with_an_account() -> str:
        async with connect(conninfo, size=1, streams=1) as database:
            cast = await Cast.of(database)
            name = await cast.region()
            distributor = await cast.distributor()
            await cast.account(await cast.partner(distributor, await cast.contract(distributor)))
            return name

    with new_database() as conninfo:
        name = asyncio.run(region_with_an_account())
        output = Command(conninfo).refused("region", "remove", name)
        assert "still has storage accounts" in output
        assert "Deleted accounts stay until their grace period is over" in output


def test_wrong_usage(conninfo: str) -> None:
    tonnage = Command(conninfo)
    assert "is not a region name" in tonnage.misused("region", "add", "Not a name", *ENDPOINTS)
    assert "is not an endpoint" in tonnage.misused("region", "add", new_name(), *ENDPOINTS, "--s3-url", "s3.example")
    assert "Missing option '--s3-url'" in tonnage.misused("region", "add", new_name())
    assert "No such command" in tonnage.misused("region", "rename")


@pytest.fixture
def command_with_keys(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Command]:
    """`tonnage` on a database of its own, with a key file."""
    create_key_file(tmp_path / "secret.key")
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(tmp_path / "secret.key"))
    with new_database() as conninfo:
        yield Command(conninfo)


def queued(conninfo: str) -> list[str]:
    """The names of the queued jobs."""
    with psycopg.connect(conninfo) as conn:
        return [name for (name,) in conn.execute("select task_name from procrastinate_jobs order by id")]


@pytest.mark.ceph
def test_a_region_on_a_cluster_is_checked_when_it_is_added(
    command_with_keys: Command, gateway: Gateway, tmp_path: Path
) -> None:
    credentials = tmp_path / "admin"
    credentials.touch(0o600)
    credentials.write_text(f"{gateway.access_key}\n{gateway.secret_key}\n")
    reached = ("--ceph-admin-url", gateway.address, "--ceph-credentials-file", str(credentials))
    result = command_with_keys("region", "add", "eu", *ENDPOINTS, *reached, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    made = json.loads(result.stdout)
    assert (made["backend"], made["admin_url"]) == ("ceph", gateway.address)
    assert command_with_keys.json("region", "list") == [made]
    assert queued(command_with_keys.conninfo) == ["provisioning.verify_identity"]

    (checked,) = command_with_keys.json("region", "check", "eu")
    assert checked["present"] == ["users=read", "users=write", "usage=read", "usage=write"]
    assert abs(checked["clockSkew"]) < 60
    assert checked["facts"].keys() == {"release", "tested with", "usage log"}
    rest = {name: checked[name] for name in ("region", "reachable", "credentials", "missing", "problems")}
    assert rest == {"region": "eu", "reachable": True, "credentials": True, "missing": [], "problems": []}
    output = command_with_keys.ok("region", "check")
    assert output.startswith("eu: healthy\n")
    assert "quota (to the byte, from the next request)" in output
    for shown in (result.output, output, command_with_keys.ok("audit", "list", "--json"), json.dumps(checked)):
        assert gateway.secret_key not in shown


@pytest.mark.ceph
def test_problems_are_reported_and_force_keeps_the_region(command_with_keys: Command, gateway: Gateway) -> None:
    add = ("region", "add", "eu", *ENDPOINTS, "--ceph-admin-url", gateway.address, "--force")
    result = command_with_keys(*add, stdin=f"{gateway.access_key} wrong")
    assert result.exit_code == 0
    assert "Warning: The cluster refuses the access key or the secret" in result.stderr
    assert "tonnage region check eu" in result.stderr
    output = command_with_keys("region", "check", "eu")
    assert output.exit_code == 1
    assert "credentials   not accepted" in output.stdout
    assert command_with_keys("region", "check", "--json").exit_code == 1

    connect = ("region", "connect", "eu", "--ceph-admin-url", gateway.address)
    right = command_with_keys(*connect, stdin=f"{gateway.access_key}\r\n{gateway.secret_key}\r\n")
    assert right.stderr == f"Region eu connected at {gateway.address}.\n"
    command_with_keys.ok("region", "check", "eu")


@pytest.mark.ceph
def test_credentials_that_the_cluster_refuses_change_nothing(command_with_keys: Command, gateway: Gateway) -> None:
    reached = ("--ceph-admin-url", gateway.address)
    output = command_with_keys.refused("region", "add", "eu", *ENDPOINTS, *reached, stdin=f"{gateway.access_key} wrong")
    assert "refuses the access key or the secret key" in output
    assert "Nothing was changed. To save anyway, use --force" in output
    assert command_with_keys.json("region", "list") == []

    command_with_keys.ok(
        "region", "add", "eu", *ENDPOINTS, *reached, stdin=f"{gateway.access_key} {gateway.secret_key}"
    )
    connect = ("region", "connect", "eu", *reached)
    assert "Nothing was changed" in command_with_keys.refused(*connect, stdin=f"{gateway.access_key} wrong")
    assert command_with_keys.ok("region", "check", "eu").startswith("eu: healthy\n")
    forced = command_with_keys(*connect, "--force", stdin=f"{gateway.access_key} wrong")
    assert (forced.exit_code, "Warning: The cluster refuses" in forced.stderr) == (0, True)
    assert command_with_keys("region", "check", "eu").exit_code == 1


@pytest.mark.ceph
def test_the_key_of_the_admin_user_is_renewed_without_a_gap(command_with_keys: Command, gateway: Gateway) -> None:
    renewed = (f"RENEWED{uuid.uuid4().hex[:12].upper()}", uuid.uuid4().hex)
    add = ("region", "add", "eu", *ENDPOINTS, "--ceph-admin-url", gateway.address)
    command_with_keys.ok(*add, stdin=f"{gateway.access_key} {gateway.secret_key}")
    gateway.admin("key", "create", "--uid", ADMIN, "--access-key", renewed[0], "--secret-key", renewed[1])
    command_with_keys.ok("region", "connect", "eu", "--ceph-admin-url", gateway.address, stdin="\n".join(renewed))
    command_with_keys.ok("region", "check", "eu")
    gateway.admin("key", "rm", "--uid", ADMIN, "--access-key", renewed[0])
    assert "refuses the access key" in command_with_keys("region", "check", "eu").stdout


def test_an_unreachable_cluster(command_with_keys: Command) -> None:
    command_with_keys.ok("region", "add", "metered", *ENDPOINTS)
    result = command_with_keys("region", "add", "eu", *ENDPOINTS, "--ceph-admin-url", DEAD, stdin="KEY SECRET")
    assert result.exit_code == 0
    assert "Warning: " in result.stderr
    assert "SECRET" not in result.output
    output = command_with_keys("region", "check")
    assert output.exit_code == 1
    assert "metered: healthy\n  backend       metered only" in output.stdout
    assert "eu: unhealthy" in output.stdout
    assert "reachable     no" in output.stdout
    command_with_keys.ok("region", "check", "metered")
    command_with_keys.ok("region", "remove", "eu")
    assert [region["name"] for region in command_with_keys.json("region", "list")] == ["metered"]


def test_the_list_shows_trouble(command_with_keys: Command, tmp_path: Path) -> None:
    async def look() -> None:
        keys = tmp_path / "secret.key"
        async with (
            connect(command_with_keys.conninfo, size=1, streams=1) as database,
            open_backends(database, keys) as backends,
        ):
            await check_all(Services(database, backends, **clocks(lambda: NOW)))

    command_with_keys.ok("region", "add", "metered", *ENDPOINTS)
    command_with_keys("region", "add", "eu", *ENDPOINTS, "--ceph-admin-url", DEAD, stdin="KEY SECRET")
    asyncio.run(look())
    metered, eu = command_with_keys.json("region", "list")
    assert "unhealthy_reason" not in metered
    assert "cannot be reached" in eu["unhealthy_reason"]
    assert eu["troubleSince"] == "2026-03-15T12:00:00Z"
    assert eu["unhealthy_reason"] in command_with_keys.ok("region", "list")


def test_a_metered_region_is_put_on_a_cluster(command_with_keys: Command) -> None:
    command_with_keys.ok("region", "add", "eu", *ENDPOINTS)
    connect = ("region", "connect", "eu", "--ceph-admin-url", DEAD)
    assert "The region was saved." in command_with_keys(*connect, stdin="KEY SECRET").stderr
    assert command_with_keys.json("region", "list")[0]["backend"] == "ceph"
    nowhere = "Error: There is no region us. See: tonnage region list\n"
    assert command_with_keys.refused("region", "connect", "us", *connect[3:], stdin="KEY SECRET") == nowhere
    assert command_with_keys.refused("region", "check", "us") == nowhere
    assert command_with_keys.refused("region", "remove", "us") == nowhere


def test_the_embedded_database_gets_its_key_file_when_it_is_needed(tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path / "data")
    assert tonnage("region", "add", "metered", *ENDPOINTS, *data).exit_code == 0
    assert not (tmp_path / "data/secret.key").exists()
    on_cluster = ("--ceph-admin-url", DEAD)
    added = tonnage("region", "add", "eu", *ENDPOINTS, *on_cluster, *data, stdin="KEY SECRET")
    assert (added.exit_code, "The region was saved." in added.stderr) == (0, True), added.output
    key = (tmp_path / "data/secret.key").read_bytes()
    connected = tonnage("region", "connect", "metered", *on_cluster, *data, stdin="KEY SECRET")
    assert connected.exit_code == 0, connected.output
    assert (tmp_path / "data/secret.key").read_bytes() == key
    # Now a new key file could open no sealed secret.
    (tmp_path / "data/secret.key").unlink()
    lost = tonnage("region", "connect", "eu", *on_cluster, *data, stdin="KEY SECRET")
    assert (lost.exit_code, "is missing. Restore it from a backup" in lost.stderr) == (1, True)
    assert not (tmp_path / "data/secret.key").exists()


def test_without_a_key_file_nothing_is_sealed(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TONNAGE_SECRET_KEY_FILE", raising=False)
    tonnage, name = Command(conninfo), new_name()
    add = ("region", "add", name, *ENDPOINTS, "--ceph-admin-url", DEAD)
    assert "Set TONNAGE_SECRET_KEY_FILE" in tonnage.refused(*add, stdin="KEY SECRET")
    assert name not in tonnage.ok("region", "list")


@pytest.mark.parametrize("given", ["", "KEY", "KEY SECRET MORE", "KEY\nse\u00e9cret", b"KEY\n\xff\xfe"])
def test_malformed_credentials(conninfo: str, given: str | bytes) -> None:
    add = ("region", "add", new_name(), *ENDPOINTS, "--ceph-admin-url", DEAD)
    output = Command(conninfo).misused(*add, stdin=given)
    assert "an access key on the first line and its secret key on the second" in output
    assert "KEY" not in output


def test_wrong_usage_of_clusters(conninfo: str, tmp_path: Path) -> None:
    tonnage, file = Command(conninfo), tmp_path / "admin"
    file.write_text("KEY SECRET")
    add = ("region", "add", new_name(), *ENDPOINTS)
    assert "needs --ceph-admin-url" in tonnage.misused(*add, "--ceph-credentials-file", str(file))
    assert "is not an endpoint" in tonnage.misused(*add, "--ceph-admin-url", "https://a:b@rgw", stdin="KEY SECRET")
    missing = ("--ceph-admin-url", DEAD, "--ceph-credentials-file", str(tmp_path / "none"))
    assert "No such file" in tonnage.misused(*add, *missing)
    assert "Missing option '--ceph-admin-url'" in tonnage.misused("region", "connect", new_name())


def test_at_a_terminal_the_secret_is_not_seen(command_with_keys: Command, tmp_path: Path) -> None:
    add = ("region", "add", "eu", *ENDPOINTS, "--ceph-admin-url", DEAD)
    settings = {
        "TONNAGE_DATABASE_URL": command_with_keys.conninfo,
        "TONNAGE_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
    }
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "tonnage", *add],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**settings),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = typed(ours, {b"Access key: ": b"TYPEDKEY\n", b"Secret: ": b"typed-secret\n"})
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert "TYPEDKEY" in shown
    assert "typed-secret" not in shown
    assert [region["name"] for region in command_with_keys.json("region", "list")] == ["eu"]


def typed(terminal: int, answers: dict[bytes, bytes]) -> str:
    """Answers each prompt on the terminal; returns the whole output."""
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
            for question in [question for question in answers if shown.endswith(question)]:
                os.write(terminal, answers.pop(question))
    except OSError:  # how Linux reports that the other end is closed
        pass
    return shown.decode()
