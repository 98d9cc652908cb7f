"""`tonnage partner`"""

import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from tests.cli.command import Command


def test_partners_are_created_and_listed(conninfo: str) -> None:
    tonnage = Command(conninfo)
    contract = tonnage.contract(tonnage.distributor())
    plain = ("partner", "create", "--contract", contract, "--name")
    first = tonnage.json(*plain, " First ", "--allocated", "5TB")
    assert first == {
        "id": first["id"],
        "distributorContractId": contract,
        "name": "First",
        "allocatedCapacity": 5 * 10**12,
    }
    second = tonnage.json(*plain, "Second", "--allocated", "0", "--overdraft")
    assert (second["allocatedCapacity"], second["allowOverdraft"]) == (0, True)
    assert "250 MB" in tonnage.ok(*plain, "Third", "--allocated", "250MB", "--no-overdraft")
    listed = tonnage.json("partner", "list", "--contract", contract)
    assert listed[:2] == [first, second]
    assert listed[2]["allowOverdraft"] is False
    of_all = [partner for partner in tonnage.json("partner", "list") if partner["distributorContractId"] == contract]
    assert of_all == listed
    rows = [line.split() for line in tonnage.ok("partner", "list", "--contract", contract).splitlines()]
    assert rows == [
        ["ID", "Contract", "Name", "Allocated", "Overdraft"],
        [first["id"], contract, "First", "5", "TB"],
        [second["id"], contract, "Second", "Pay-per-use", "yes"],
        [listed[2]["id"], contract, "Third", "250", "MB", "no"],
    ]


def test_a_partner_is_locked_and_unlocked(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    partner = tonnage.partner(tonnage.contract(distributor))

    def reason() -> str | None:
        with psycopg.connect(conninfo) as conn:
            row = conn.execute("select lock_reason from organisation where id = %s", [partner]).fetchone()
        assert row is not None
        return row[0]

    tonnage.ok("partner", "lock", partner, "--reason", "Unpaid")
    assert reason() == "Unpaid"
    tonnage.ok("partner", "unlock", partner)
    assert reason() is None
    for command in (("lock", distributor, "--reason", "Unpaid"), ("unlock", distributor)):
        assert "There is no partner" in tonnage.refused("partner", *command)


def test_a_contract_without_partners_has_an_empty_list(conninfo: str) -> None:
    tonnage = Command(conninfo)
    assert tonnage.json("partner", "list", "--contract", tonnage.contract(tonnage.distributor())) == []


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, unknown_id = Command(conninfo), str(uuid.uuid4())
    contract = tonnage.contract(tonnage.distributor(), "10TB")
    too_large = ("partner", "create", "--contract", contract, "--name", "Large", "--allocated", "11TB")
    assert "10 TB (10000000000000 bytes) left" in tonnage.refused(*too_large)
    unknown = ("partner", "create", "--contract", unknown_id, "--name", "Large", "--allocated", "0")
    assert f"There is no contract {unknown_id}" in tonnage.refused(*unknown)
    assert f"There is no contract {unknown_id}" in tonnage.refused("partner", "list", "--contract", unknown_id)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--name", "a\tb"), "must not contain control characters"),
        (("--allocated", "5.5B"), "not a whole number of bytes"),
        (("--allocated", ""), "is not a size"),
        (("--allocated", "5"), "has no unit; write 5TB or 5000000000000B"),
        (("--allocated", "1,5TB"), "has a comma; write 1.5TB"),
        (("--contract", "606f"), "is not a valid UUID"),
        (("--overdraft=yes",), "does not take a value"),
    ],
)
def test_wrong_values(conninfo: str, wrong: tuple[str, ...], sentence: str) -> None:
    whole = ("--contract", str(uuid.uuid4()), "--name", "Partner", "--allocated", "5TB")
    assert sentence in Command(conninfo).misused("partner", "create", *whole, *wrong)


def test_a_partner_is_resized_and_moved(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    contract, other = tonnage.contract(distributor), tonnage.contract(distributor, "8TB")
    partner = tonnage.partner(contract, "1TB")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    resized = tonnage.json("partner", "resize", partner, "--allocated", "8TB", "--overdraft", "--from", today)
    assert (resized["allocatedCapacity"], resized["allowOverdraft"]) == (8 * 10**12, True)
    assert tonnage.json("partner", "move", partner, "--contract", other)["distributorContractId"] == other
    assert "8 TB" in tonnage.ok("partner", "resize", partner, "--no-overdraft")


def test_days_of_terms_that_are_refused(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    contract = tonnage.contract(distributor)
    partner = tonnage.partner(contract, "1TB")
    resize = ("partner", "resize", partner, "--allocated", "2TB")
    assert "The present terms, or the contract, began on" in tonnage.refused(
        *resize, "--from", "2026-01-01", "--correct"
    )
    assert "or earlier" in tonnage.refused(*resize, "--from", "2999-01-01")
    assert "--correct needs --from" in tonnage.misused(*resize, "--correct")
    assert "at least one change" in tonnage.misused("partner", "resize", partner)
    amend = ("contract", "amend", contract, "--price", "1", "--from")
    assert "The present terms, or the contract, began on" in tonnage.refused(*amend, "2026-01-01")
    for command in (("resize", distributor, "--allocated", "1TB"), ("move", distributor, "--contract", contract)):
        assert "There is no partner" in tonnage.refused("partner", *command)
