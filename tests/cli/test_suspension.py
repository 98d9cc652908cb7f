"""`tonnage partner suspend` and `resume`"""

import psycopg

from tests.cli.command import Command


def test_a_partner_is_suspended_and_resumed(conninfo: str) -> None:
    tonnage = Command(conninfo)
    partner = tonnage.partner(tonnage.contract(tonnage.distributor()))

    def suspension() -> object:
        with psycopg.connect(conninfo) as conn:
            query = "select suspension_reason, suspension_cause from partner where id = %s"
            return conn.execute(query, [partner]).fetchone()

    for reason in ("Unpaid", "Still unpaid"):
        tonnage.ok("partner", "suspend", partner, "--reason", reason)
        assert suspension() == (reason, "person")
    for _ in range(2):
        tonnage.ok("partner", "resume", partner)
        assert suspension() == (None, None)


def test_there_is_such_a_partner_and_a_reason(conninfo: str) -> None:
    tonnage = Command(conninfo)
    unknown = "4b14e456-ef23-46ed-9070-f5eaf1b5ef04"
    assert "There is no partner" in tonnage.refused("partner", "suspend", unknown, "--reason", "Unpaid")
    assert "There is no partner" in tonnage.refused("partner", "resume", unknown)
    assert "--reason" in tonnage.misused("partner", "suspend", unknown)
