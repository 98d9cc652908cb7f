"""`tonnage audit`"""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command
from tests.roles import as_owner
from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.db import connect


def test_the_latest_entries_come_last(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    contract = tonnage.contract(distributor)
    partner = tonnage.partner(contract, "1TB")
    entries = tonnage.json("audit", "list", "--organisation", distributor)
    assert [(entry["action"], entry["subjectId"]) for entry in entries] == [
        ("distributor.create", distributor),
        ("contract.create", contract),
        ("partner.create", partner),
    ]
    assert all(entry["actor"] == "cli" for entry in entries)
    assert tonnage.json("audit", "list", "--organisation", distributor, "--limit", "2") == entries[1:]
    assert tonnage.json("audit", "list", "--organisation", partner) == entries[2:]
    assert len(tonnage.json("audit", "list", "--limit", "2")) == 2
    rows = tonnage.ok("audit", "list", "--organisation", partner).splitlines()
    assert len(rows) == 2
    assert "partner.create" in rows[1]
    assert '"allocatedCapacity": 1000000000000' in rows[1]


def test_what_is_refused_and_wrong(conninfo: str) -> None:
    tonnage, unknown_id = Command(conninfo), str(uuid.uuid4())
    assert f"There is no organisation {unknown_id}" in tonnage.refused("audit", "list", "--organisation", unknown_id)
    assert "x>=1" in tonnage.misused("audit", "list", "--limit", "0")
    assert "is not a valid UUID" in tonnage.misused("audit", "list", "--organisation", "x")


@pytest.fixture
def own(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Command]:
    """A database whose entries have their positions, and a key file."""
    with new_database() as conninfo:
        monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(tmp_path / "keys"))
        tonnage = Command(conninfo)
        tonnage.ok("secret", "create")
        tonnage.partner(tonnage.contract(tonnage.distributor()))
        number_entries(conninfo)
        yield tonnage


def number_entries(conninfo: str) -> None:
    async def work() -> None:
        async with connect(conninfo, size=1, streams=1) as database:
            await sequence_entries(database)

    asyncio.run(work())


def test_the_log_is_verified(own: Command) -> None:
    assert re.fullmatch(r"All \d+ entries fit\.\n", own.ok("audit", "verify"))
    with psycopg.connect(as_owner(own.conninfo)) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("update audit_entry set after = null where action = 'contract.create'")
    result = own("audit", "verify")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"organisation \S+, position \d+, entry \d+: the entry or one before it was changed\n", result.stdout
    )


def test_the_log_is_exported_and_the_file_verified_without_a_database(own: Command, tmp_path: Path) -> None:
    exported = own("audit", "export")
    assert exported.exit_code == 0
    public_key = exported.stderr.split()[-1]
    file = tmp_path / "audit.jsonl"
    file.write_bytes(exported.stdout_bytes)
    entries = exported.stdout.count("\n") - 1
    offline = Command("postgresql:///nowhere?host=/nowhere")
    said = offline.ok("audit", "verify", "--file", str(file), "--public-key", public_key.upper())
    assert said.startswith(f"All {entries} entries fit.\n")
    assert public_key in said
    assert "another public key" in offline.refused("audit", "verify", "--file", str(file), "--public-key", "00")
    file.write_bytes(exported.stdout_bytes.replace(b"partner.create", b"partner.delete"))
    assert "was changed or removed" in offline.refused("audit", "verify", "--file", str(file))
    assert "needs --file" in offline.misused("audit", "verify", "--public-key", public_key)


def test_the_entries_of_one_organisation_are_exported(own: Command, tmp_path: Path) -> None:
    distributor = own.distributor()
    number_entries(own.conninfo)
    lines = own.ok("audit", "export", "--organisation", distributor).splitlines()
    assert [json.loads(line)["entry"]["organisationId"] for line in lines[:-1]] == [distributor]
    assert json.loads(lines[-1])["head"]["organisationId"] == distributor
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines))
    own.ok("audit", "verify", "--file", str(file))
    assert "There is no organisation" in own.refused("audit", "export", "--organisation", str(uuid.uuid4()))


def test_an_export_needs_keys(conninfo: str) -> None:
    assert "TONNAGE_SECRET_KEY_FILE" in Command(conninfo).misused("audit", "export")
