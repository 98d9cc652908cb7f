"""`tonnage distributor`"""

import pytest

from tests.cast import unique
from tests.cli.command import Command


def test_a_distributor_is_created_and_listed(conninfo: str) -> None:
    tonnage, name = Command(conninfo), unique("Größe [bold] 🗄")
    made = tonnage.json("distributor", "create", f"  {name} ")
    assert made["name"] == name
    assert made in tonnage.json("distributor", "list")
    assert f"{made['id']}  {name}" in tonnage.ok("distributor", "list")
    assert name in tonnage.ok("distributor", "create", name)


def test_a_distributor_is_locked_and_unlocked(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    partner = tonnage.partner(tonnage.contract(distributor))

    def listed(distributor_id: str) -> dict[str, str]:
        return next(one for one in tonnage.json("distributor", "list") if one["id"] == distributor_id)

    tonnage.ok("distributor", "lock", distributor, "--reason", "Unpaid")
    assert listed(distributor)["lockedAt"]
    tonnage.ok("distributor", "unlock", distributor)
    assert "lockedAt" not in listed(distributor)
    for command in (("lock", partner, "--reason", "Unpaid"), ("unlock", partner)):
        assert "There is no distributor" in tonnage.refused("distributor", *command)
    assert "--reason" in tonnage.misused("distributor", "lock", distributor)


def test_a_distributor_is_closed_after_its_partners(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    contract = tonnage.contract(distributor)
    partner = tonnage.partner(contract)
    close = ("distributor", "close", distributor)
    refused = (
        "Error: The distributor still has 1 partner. Delete them first; you can do it with `tonnage partner close`."
    )
    assert tonnage.refused(*close, "--yes") == refused + "\n"
    assert tonnage(*close, stdin="n\n").exit_code == 1
    assert tonnage(*close, stdin="y\n").stderr.endswith(refused + "\n")
    assert "There is no partner" in tonnage.refused("partner", "close", distributor, "--yes")
    assert "There is no distributor" in tonnage.refused("distributor", "close", partner, "--yes")
    assert tonnage("partner", "close", partner, stdin="y\n").stderr.endswith("within 1 s.\n")
    assert "There is no partner" in tonnage.refused("partner", "close", partner, "--yes")
    tonnage.ok("key", "create", "--organisation", distributor, "--role", "viewer", "--description", "Reports")
    assert distributor in tonnage.ok("key", "list")
    tonnage.ok(*close, "--yes")
    assert distributor not in tonnage.ok("key", "list")
    assert distributor not in tonnage.ok("distributor", "list") + tonnage.ok("contract", "list")
    closed = next(one for one in tonnage.json("distributor", "list", "--closed") if one["id"] == distributor)
    assert closed["closedAt"]
    assert f"{distributor}  Distributor" in tonnage.ok("distributor", "list", "--closed")
    late = ("partner", "create", "--contract", contract, "--name", "Late", "--allocated", "0")
    for command in (late, ("partner", "list", "--contract", contract), ("contract", "amend", contract, "--price", "1")):
        assert f"There is no contract {contract}" in tonnage.refused(*command)
    assert "There is no distributor" in tonnage.refused(*close, "--yes")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "must not be empty"),
        (" ", "must not be empty"),
        ("x" * 201, "must have at most 200 characters"),
        ("a\nb", "must not contain control characters"),
        ("a\0b", "must not contain control characters"),
        ("a\udcffb", "must not contain an unpaired surrogate"),
    ],
)
def test_names_have_the_rules_of_the_api(conninfo: str, name: str, sentence: str) -> None:
    assert sentence in Command(conninfo).misused("distributor", "create", name)


def test_an_unreachable_database_is_a_sentence() -> None:
    nowhere = Command("postgresql://tonnage:hunter2@127.0.0.1:1/tonnage")
    sentence = nowhere.refused("distributor", "list")
    assert "The database cannot be reached" in sentence
    assert "hunter2" not in sentence
