"""`tonnage region`"""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.cast import Cast
from tests.cli.command import Command
from tonnage.db import connect

ENDPOINTS = (
    "--s3-url", "https://s3.example.com", "--iam-url", "https://iam.example.com/", "--sts-url", "http://sts:8000/x",
)  # fmt: skip


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
            "plane": "metered",
        }
        assert "eu-west-1" in tonnage.ok("region", "add", "eu-west-1", *ENDPOINTS)
        second = {**first, "name": "eu-west-1", "default": False}
        assert tonnage.json("region", "list") == [first, second]
        table = tonnage.ok("region", "list").splitlines()
        assert [line.split()[0] for line in table] == ["Name", "eu-central-2", "eu-west-1"]
        assert "here" in table[1]
        assert "here" not in table[2]
        tonnage.ok("region", "remove", "eu-central-2")
        assert tonnage.json("region", "list") == [{**second, "default": True}]


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, name = Command(conninfo), new_name()
    tonnage.ok("region", "add", name, *ENDPOINTS)
    assert f"There is a region {name} already" in tonnage.refused("region", "add", name, *ENDPOINTS)
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
        assert "Storage accounts live in the region" in Command(conninfo).refused("region", "remove", name)


def test_wrong_usage(conninfo: str) -> None:
    tonnage = Command(conninfo)
    assert "is not a region name" in tonnage.misused("region", "add", "Not a name", *ENDPOINTS)
    assert "is not an endpoint" in tonnage.misused("region", "add", new_name(), *ENDPOINTS, "--s3-url", "s3.example")
    assert "Missing option '--s3-url'" in tonnage.misused("region", "add", new_name())
    assert "No such command" in tonnage.misused("region", "rename")
