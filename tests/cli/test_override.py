"""`tonnage override`"""

from datetime import UTC, datetime, timedelta

from tests.cli.command import Command


def test_an_override_of_a_partner_is_granted_listed_and_ended(conninfo: str) -> None:
    tonnage = Command(conninfo)
    partner = tonnage.partner(tonnage.contract(tonnage.distributor()))
    tonnage.ok("partner", "resize", partner, "--allocated", "1TB")
    until = f"{datetime.now(UTC).date() + timedelta(days=3)}"
    more = ("--until", until, "--reason", "Season")
    granted = tonnage.json("override", "grant", "--partner", partner, "--capacity", "2TB", *more)
    assert (granted["capacity"], granted["until"], granted["free"]) == (2 * 10**12, until, False)
    assert tonnage.json("override", "list", "--partner", partner) == [granted]
    assert "Season" in tonnage.ok("override", "list", "--partner", partner)
    assert "must be more than the allocation" in tonnage.refused(
        "override", "grant", "--partner", partner, "--capacity", "1TB", *more
    )
    tonnage.ok("override", "end", "--partner", partner)
    [ended] = tonnage.json("override", "list", "--partner", partner)
    assert "endedAt" in ended


def test_one_thing_is_named(conninfo: str) -> None:
    tonnage = Command(conninfo)
    both = ("--account", "482915730164", "--partner", "4b14e456-ef23-46ed-9070-f5eaf1b5ef04")
    for given in ((), both):
        assert "Give one of them" in tonnage.misused("override", "list", *given)
    assert "There is no storage account 482915730164" in tonnage.refused("override", "end", "--account", "482915730164")
