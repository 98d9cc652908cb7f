"""`tonnage audit`"""

import uuid

from tests.cli.command import Command


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
