"""`tonnage contract`"""

import uuid

import pytest

from tests.cli.command import Command

TERMS = ("--reserved", "100TB", "--price", "100", "--currency", "EUR")


def test_a_contract_is_signed_amended_and_listed(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    made = tonnage.json("contract", "create", "--distributor", distributor, *TERMS, "--details", " First ")
    assert made == {
        "id": made["id"],
        "distributorId": distributor,
        "reservedCapacity": 100 * 10**12,
        "allocatedCapacity": 0,
        "costStorageGBCents": "100",
        "costEgressGBCents": "0",
        "currency": "EUR",
        "details": "First",
    }
    amended = tonnage.json("contract", "amend", made["id"], "--reserved", "250MB", "--price", "0.5")
    assert amended == {**made, "reservedCapacity": 250_000_000, "costStorageGBCents": "0.5"}
    assert "90 TB" in tonnage.ok("contract", "amend", made["id"], "--reserved", "90000000000000B")
    assert "Second" in tonnage.ok("contract", "create", "--distributor", distributor, *TERMS, "--details", "Second")
    mine = tonnage.json("contract", "list", "--distributor", distributor)
    assert [contract["details"] for contract in mine] == ["First", "Second"]
    assert [
        contract for contract in tonnage.json("contract", "list") if contract["distributorId"] == distributor
    ] == mine
    rows = tonnage.ok("contract", "list", "--distributor", distributor).splitlines()
    assert rows[0].split()[:3] == ["ID", "Distributor", "Name"]
    assert rows[1].split() == [made["id"], distributor, "First", "90", "TB", "0", "B", "0.5", "EUR"]


def test_a_distributor_without_contracts_has_an_empty_list(conninfo: str) -> None:
    tonnage = Command(conninfo)
    assert tonnage.json("contract", "list", "--distributor", tonnage.distributor()) == []


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, unknown_id = Command(conninfo), str(uuid.uuid4())
    contract = tonnage.contract(tonnage.distributor(), "10TB")
    partner = tonnage.partner(contract, "6TB")
    for stranger in (unknown_id, partner):
        assert "There is no distributor" in tonnage.refused("contract", "list", "--distributor", stranger)
        assert "There is no distributor" in tonnage.refused("contract", "create", "--distributor", stranger, *TERMS)
    assert "There is no contract" in tonnage.refused("contract", "amend", unknown_id, "--price", "1")
    sentence = tonnage.refused("contract", "amend", contract, "--reserved", "5TB")
    assert "less than the 6 TB (6000000000000 bytes)" in sentence


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--reserved", "much"), "is not a size"),
        (("--reserved", "-5TB"), "is not a size"),
        (("--reserved", "10EB"), "more than the largest capacity"),
        (("--reserved", "5"), "has no unit; write 5TB or 5000000000000B"),
        (("--reserved", "1,5TB"), "has a comma; write 1.5TB"),
        (("--price", "free"), "is not a price"),
        (("--price", "-1"), "is not a price"),
        (("--currency", "eur"), "is not a currency"),
        (("--currency", "XXX"), "is not a currency"),
        (("--currency", "ZZZ"), "is not a currency"),
        (("--details", ""), "must not be empty"),
        (("--distributor", "7e1f"), "is not a valid UUID"),
    ],
)
def test_wrong_values(conninfo: str, wrong: tuple[str, str], sentence: str) -> None:
    whole = ("--distributor", str(uuid.uuid4()), *TERMS)
    assert sentence in Command(conninfo).misused("contract", "create", *whole, *wrong)


def test_an_amendment_says_what_changes(conninfo: str) -> None:
    assert "Name at least one change" in Command(conninfo).misused("contract", "amend", str(uuid.uuid4()))
