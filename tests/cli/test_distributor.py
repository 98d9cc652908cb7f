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
