"""`tonnage key`"""

import uuid

from tests.cli.command import Command
from tonnage.api_keys.api_key import is_well_formed

DETAILS = ("--role", "admin", "--description", "Nightly report")


def test_standard_output_is_the_key_alone(conninfo: str) -> None:
    tonnage = Command(conninfo)
    result = tonnage("key", "create", "--organisation", tonnage.distributor(), *DETAILS)
    assert result.exit_code == 0
    key = result.stdout.removesuffix("\n")
    assert is_well_formed(key)
    assert key not in result.stderr
    assert "shown only once" in result.stderr


def test_a_key_is_shown_once_listed_and_revoked(conninfo: str) -> None:
    tonnage = Command(conninfo)
    partner = tonnage.partner(tonnage.contract(tonnage.distributor()))
    made = tonnage.json("key", "create", "--organisation", partner, *DETAILS, "--valid-until", "2999-12-31")
    key = made.pop("key")
    assert is_well_formed(key)
    assert made == {
        "id": made["id"],
        "organisationId": partner,
        "description": "Nightly report",
        "role": "admin",
        "prefix": key[:8],
        "validUntil": "2999-12-31T00:00:00Z",
        "createdAt": made["createdAt"],
    }
    assert tonnage.json("key", "list", "--organisation", partner) == [made]
    assert made in tonnage.json("key", "list")
    for _ in range(2):
        assert tonnage.ok("key", "revoke", made["id"]) == ""
    [listed] = tonnage.json("key", "list", "--organisation", partner)
    assert listed.pop("revokedAt") >= made["createdAt"]
    assert listed == made
    table = tonnage.ok("key", "list", "--organisation", partner)
    assert made["id"] in table
    assert key not in table


def test_a_key_of_the_operator(conninfo: str) -> None:
    tonnage = Command(conninfo)
    made = tonnage.json("key", "create", "--operator", *DETAILS)
    assert tonnage.json("key", "list", "--organisation", made["organisationId"])


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, unknown_id = Command(conninfo), str(uuid.uuid4())
    assert f"no organisation {unknown_id}" in tonnage.refused("key", "create", "--organisation", unknown_id, *DETAILS)
    assert f"no organisation {unknown_id}" in tonnage.refused("key", "list", "--organisation", unknown_id)
    assert f"no API key {unknown_id}" in tonnage.refused("key", "revoke", unknown_id)


def test_wrong_usage(conninfo: str) -> None:
    tonnage = Command(conninfo)
    create = ("key", "create", "--operator", *DETAILS)
    assert "must be in the future" in tonnage.misused(*create, "--valid-until", "2020-01-01")
    assert "write it as" in tonnage.misused(*create, "--valid-until", "tomorrow")
    assert "must not be empty" in tonnage.misused(*create, "--description", " ")
    assert "is not one of" in tonnage.misused(*create, "--role", "root")
    assert "Give one organisation" in tonnage.misused("key", "create", *DETAILS)
    assert "is not a valid UUID" in tonnage.misused("key", "revoke", "tng_abcd")


def test_the_limit_of_a_key(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    made = tonnage.json("key", "create", "--organisation", distributor, *DETAILS, "--requests-per-second", "200")
    assert made["requestsPerSecond"] == 200
    assert tonnage.ok("key", "limit", made["id"], "--requests-per-second", "5") == ""
    assert [key["requestsPerSecond"] for key in tonnage.json("key", "list", "--organisation", distributor)] == [5]
    assert tonnage.ok("key", "limit", made["id"]) == ""
    assert "requestsPerSecond" not in tonnage.json("key", "list", "--organisation", distributor)[0]
    unknown_id = str(uuid.uuid4())
    assert f"no API key {unknown_id}" in tonnage.refused("key", "limit", unknown_id)
    assert "1<=x<=1000000" in tonnage.misused("key", "limit", made["id"], "--requests-per-second", "0")
