"""The mails about a suspension: its warnings, its beginning and its end; and how a mail writes days and money."""

from datetime import date, timedelta

import pytest

from tests.events.test_feed import published
from tests.notifications.test_mails import Company, company
from tests.statements.inserted import insert_statement
from tests.suspensions.test_overdue import DUE, ON, noon
from tonnage.billing_profiles.settings_actions import set_settings
from tonnage.events.event_feed import FeedReader
from tonnage.events.queries import events_after
from tonnage.notifications.notification import Notification
from tonnage.statements.actions import pay
from tonnage.statements.frozen import Payment
from tonnage.suspensions import actions
from tonnage.suspensions.overdue_actions import apply_rules, resume_if_settled
from tonnage.wording.catalogue import translations_of
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

__all__ = ["company"]

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def subjects(company: Company) -> list[str]:
    """Of the mails to the partner's member, an hour later."""
    await published(company.cast.database)
    before = len(company.outbox.sent)
    await company.mailed(timedelta(hours=1))
    return [one.subject for one in company.outbox.sent[before:] if company.emails[one.to] == "partner"]


async def test_the_rule_warns_suspends_and_resumes_in_the_readers_locale(company: Company) -> None:
    run, partner = company.cast.database.run, company.partner
    await company.cast.row("update member set locale = 'de_DE' returning 1")
    (contract,) = await company.cast.row("select contract_id from partner where id = %s", partner.organisation_id)
    statement = await run(insert_statement, company.distributor, partner, contract)
    (number,) = await company.cast.row("select number from statement where id = %s", statement)
    await run(set_settings, company.distributor, ON, noon(date(2026, 3, 3)))
    await subjects(company)
    found: list[str] = []
    for day in range(20, 32):
        await apply_rules(company.cast.database, noon(DUE + timedelta(days=day)))
        found += await subjects(company)
    warning = f"Valley will be suspended on 16.04.2026: statement {number} is overdue"
    assert found == [
        warning,
        warning,
        warning,
        f"Valley is suspended: Statement {number} is overdue since 17.03.2026",
    ]
    await run(pay, company.distributor, statement, Payment(date(2026, 4, 20), "Line 4"))
    await resume_if_settled(company.cast.database, partner.organisation_id, noon(date(2026, 4, 20)))
    assert await subjects(company) == ["Valley is no longer suspended"]


async def test_what_a_person_writes_is_mailed_as_it_is(company: Company) -> None:
    run, partner = company.cast.database.run, company.partner.organisation_id
    await run(actions.suspend_partner, company.distributor, partner, "Unpaid {number}", company.now)
    assert await subjects(company) == ["Valley is suspended: Unpaid {number}"]
    await run(actions.resume_partner, company.distributor, partner)
    assert await subjects(company) == ["Valley is no longer suspended"]


async def test_money_is_written_as_its_reader_does(company: Company) -> None:
    database, partner = company.cast.database, company.partner.organisation_id
    (contract,) = await company.cast.row("select contract_id from partner where id = %s", partner)
    statement = await database.run(insert_statement, company.distributor, company.partner, contract)
    (number, gross) = await company.cast.row("select number, gross from statement where id = %s", statement)
    await published(database)
    reader = FeedReader(partner, company.partner.kind)
    (event,) = await database.run(events_after, reader, 0, ["statement.received"], 9)
    said = translate(Notification(event, {}).sentence, translations_of("en"), Formats("de_DE", "UTC"))
    money = f"{gross:.2f}".replace(".", ",")
    assert said == f"Statement {number} of Seller: {money}\N{NO-BREAK SPACE}€"
