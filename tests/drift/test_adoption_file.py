"""Many users of a cluster are adopted from a file."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cast import TB
from tests.ceph_client import REGION, ClusterClient
from tests.cli.command import Command
from tests.unchanged import assert_same, snapshot
from tonnage.access.actor import Actor

pytestmark = pytest.mark.anyio

HEADER = "user,partner,name,email,allocated"
AN_ID = str(uuid.UUID(int=1))


def rows(result: Result) -> list[dict[str, Any]]:
    return json.loads(result.stdout)


@pytest.fixture
async def partner(client: ClusterClient) -> Actor:
    distributor = await client.cast.distributor()
    return await client.cast.partner(distributor, await client.cast.contract(distributor), 5 * TB)


def users(client: ClusterClient, count: int) -> list[str]:
    names = [f"bulk-{uuid.uuid4().hex}" for _ in range(count)]
    for name in names:
        client.gateway.admin("user", "create", "--uid", name, "--display-name", "Old", "--email", f"{name}@old.example")
    return names


@pytest.mark.ceph
async def test_each_line_is_adopted_or_refused_by_itself(
    client: ClusterClient, partner: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    first, second, greedy, clashing = users(client, 4)
    owner, stranger = partner.organisation_id, uuid.uuid4()
    lines = [
        f'{first},{owner},"One, Ltd",{first}@new.example,2TB,yes',
        f"{second},{owner},Two,{second}@new.example,0B,",
        f"{greedy},{owner},Greedy,{greedy}@new.example,4TB,no",
        f"{clashing},{owner},Clash,{greedy.upper()}@old.example,0B,",
        f"absent-{first},{owner},Absent,absent@new.example,0B,",
        f"{greedy}2,{stranger},Stranger,stranger@new.example,0B,",
    ]
    file = tmp_path / "users.csv"
    file.write_text("\n".join([f"\ufeff{HEADER},overdraft", *lines]), "utf-8")
    tonnage = Command(client.conninfo)
    arguments = ("storage", "adopt-file", str(file), "--region", REGION, "--json")
    before = await client.database.run(snapshot)
    planned = await asyncio.to_thread(tonnage, *arguments, "--dry-run")
    assert_same(before, await client.database.run(snapshot))
    assert [one["accepted"] for one in rows(planned)] == [True, True, True, False, False, False]
    done = await asyncio.to_thread(tonnage, *arguments)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "Users: 6, adopted: 2, refused: 4.")
    assert [one["result"] == "adopted" for one in rows(done)] == [True, True, False, False, False, False]
    assert "the partner has 3 TB" in rows(done)[2]["result"]
    assert f"The user {greedy} of the cluster has the e-mail address" in rows(done)[3]["result"]
    assert rows(done)[0]["changes"][:2] == [
        "display name: Old -> One, Ltd",
        f"e-mail: {first}@old.example -> {first}@new.example",
    ]
    again = await asyncio.to_thread(tonnage, *arguments)
    assert [one["accepted"] for one in rows(again)] == [False] * 6
    (accounts,) = await client.cast.row(
        "select jsonb_agg(jsonb_build_array(cluster_user, name, allocated_capacity, allow_overdraft) order by seq) "
        "from storage_account"
    )
    assert accounts == [[first, "One, Ltd", 2 * TB, True], [second, "Two", 0, False]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must name the columns"),
        (b"user;partner;name;email;allocated", "separated by commas"),
        (f"{HEADER},other".encode(), "must name the columns"),
        (f"{HEADER}\nu,{AN_ID},N,a@b.example".encode(), "Line 2: it has another number of columns"),
        (f"{HEADER}\nu,{AN_ID},N,a@b.example,1TB,more".encode(), "Line 2: it has another number of columns"),
        (f"{HEADER}\n,{AN_ID},N,a@b.example,1TB".encode(), "Line 2: the user is missing"),
        (f"{HEADER}\nu,nobody,N,a@b.example,1TB".encode(), "Line 2: 'nobody' is not a valid UUID"),
        (f"{HEADER}\nu,{AN_ID},,a@b.example,1TB".encode(), "Line 2: "),
        (f"{HEADER}\nu,{AN_ID},N,b.example,1TB".encode(), "Line 2: "),
        (f"{HEADER}\nu,{AN_ID},N,a@b.example,much".encode(), "Line 2: 'much' is not a size"),
        (f"{HEADER},overdraft\nu,{AN_ID},N,a@b.example,1TB,maybe".encode(), "Line 2: overdraft must be yes or no"),
        (
            f"{HEADER}\nu,{AN_ID},N,a@b.example,1TB\nu,{AN_ID},N,b@b.example,1TB".encode(),
            "Line 3: the user u is on line 2",
        ),
        (f'{HEADER}\n"u'.encode(), "unexpected end of data"),
        (HEADER.encode() + b"\n\xff", "not UTF-8"),
    ],
)
async def test_a_wrong_line_refuses_the_whole_file(
    conninfo: str, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes(content)
    result = await asyncio.to_thread(Command(conninfo), "storage", "adopt-file", str(file), "--region", REGION)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr


async def test_every_wrong_line_is_named(conninfo: str, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    lines = [HEADER, f"u,{AN_ID},N,a@b.example,much", f"v,{AN_ID},N,a@b.example,1TB", f"w,{AN_ID},N,b.example,1TB"]
    file.write_text("\n".join(lines))
    result = await asyncio.to_thread(Command(conninfo), "storage", "adopt-file", str(file), "--region", REGION)
    named = [line for line in ("Line 2", "Line 3", "Line 4") if f"{line}: " in result.stderr]
    assert (result.exit_code, named) == (2, ["Line 2", "Line 4"])
