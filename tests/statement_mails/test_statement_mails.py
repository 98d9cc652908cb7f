"""Statements are mailed to their buyers, each once."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.api.conftest import AppClient
from tests.billing_profiles.profiles import of_country
from tests.roles import as_owner, url_of
from tests.smtp import MailServer, mail_server
from tests.statements.months import APRIL, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call
from tonnage.access.actor import Actor
from tonnage.billing_profiles import actions as profiles
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.clock import BusinessClock
from tonnage.errors import Unavailable
from tonnage.mail import LogOutbox, Mailer, SmtpOutbox
from tonnage.services import Services
from tonnage.statement_mails.actions import send_due

pytestmark = pytest.mark.anyio

ORIGIN = "https://console.example.org"


@pytest.fixture
async def mails() -> AsyncGenerator[MailServer]:
    async with mail_server() as found:
        yield found


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    found = await sellers_with_prices(client.cast)
    await found.number(found.distributor, mail_documents=True)
    return found


def services(data: Sellers, mails: MailServer) -> Services:
    box = SmtpOutbox(f"smtp+plain://127.0.0.1:{mails.port}", "Console <console@example.org>")
    cast = data.cast
    return replace(data.services, mailer=Mailer(box, ORIGIN), business_clock=BusinessClock(lambda: cast.now))


async def address(data: Sellers, who: Actor, email: str) -> None:
    profile = read_profile(of_country("DE", "DE136695976", paymentTermDays=14, contactEmail=email))
    await data.cast.database.run(profiles.set_profile, who, ProfileSubject.own(who), profile, data.cast.now)


async def listed(client: AppClient, data: Sellers, query: str = "") -> Any:
    return (await call(client, data.distributor, "GET", f"statements?role=seller{query}")).json()


async def test_a_statement_arrives_with_its_document(client: AppClient, data: Sellers, mails: MailServer) -> None:
    await address(data, data.partner, "books@pia.example")
    await address(data, data.distributor, "billing@nordlicht.example")
    await data.freeze(data.distributor)
    (before,) = await listed(client, data, "&state=frozen")
    await send_due(services(data, mails))

    (mail,) = mails.mails
    assert (mail["To"], mail["Reply-To"]) == ("books@pia.example", "billing@nordlicht.example")
    assert mail["Subject"] == "Company of DE: Statement INV-2026-00001 for March 2026"
    text = mail.get_body(("plain",))
    assert text is not None
    lines = text.get_content().replace("\r\n", "\n").split("\n")
    assert "Total: €130.90" in lines
    assert f"Every line with its days: {ORIGIN}/statements/{before['id']}" in lines
    (file,) = mail.iter_attachments()
    pdf = await call(client, data.distributor, "GET", f"statements/{before['id']}.pdf")
    assert (file.get_filename(), file.get_content_type()) == ("INV-2026-00001.pdf", "application/pdf")
    assert file.get_content() == pdf.content

    assert [one["state"] for one in await listed(client, data)] == ["issued"]
    assert len(await listed(client, data, "&state=issued")) == 1
    assert await listed(client, data, "&state=frozen") == []
    found = (await call(client, data.partner, "GET", f"statements/{before['id']}")).json()
    assert (found["state"], found["issuedAt"]) == ("issued", f"{APRIL:%Y-%m-%dT%H:%M:%SZ}")
    ann = await client.sign_in(data.distributor)
    assert "Mailed" in (await ann.get(f"/statements/{before['id']}")).text
    client.clock.now = APRIL + timedelta(days=30)
    assert [one["state"] for one in await listed(client, data)] == ["overdue"]


async def test_of_many_workers_one_sends(data: Sellers, mails: MailServer) -> None:
    for name in ("Quinn", "Rosa"):
        await address(data, await data.another(name), f"{name}@example.org")
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    await asyncio.gather(*(send_due(services(data, mails)) for _ in range(5)))
    await send_due(services(data, mails))
    assert sorted(mail["To"] for mail in mails.mails) == ["Quinn@example.org", "Rosa@example.org", "books@pia.example"]
    assert len({mail["Message-ID"] for mail in mails.mails}) == 3


async def test_a_buyer_without_an_address_is_tried_again(client: AppClient, data: Sellers, mails: MailServer) -> None:
    await data.freeze(data.distributor)
    await send_due(services(data, mails))
    assert mails.mails == []
    (one,) = await listed(client, data)
    found = (await call(client, data.distributor, "GET", f"statements/{one['id']}")).json()
    assert (found["state"], found["mailRefused"]) == ("frozen", "no_address")
    page = (await (await client.sign_in(data.distributor)).get(f"/statements/{one['id']}")).text
    assert "Not mailed: the buyer&#39;s billing profile has no e-mail for statements." in page

    await address(data, data.partner, "books@pia.example")
    await send_due(services(data, mails))
    assert mails.mails == []
    data.cast.now = APRIL + timedelta(days=1)
    await send_due(services(data, mails))
    assert [mail["To"] for mail in mails.mails] == ["books@pia.example"]
    found = (await call(client, data.distributor, "GET", f"statements/{one['id']}")).json()
    assert "mailRefused" not in found


async def test_a_server_that_is_away_loses_nothing(data: Sellers, mails: MailServer) -> None:
    """What was not accepted is sent by the next run, and a mail that is sent again is known by its id."""
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    away = replace(
        services(data, mails), mailer=Mailer(SmtpOutbox("smtp+plain://127.0.0.1:1", "a@example.org"), ORIGIN)
    )
    with pytest.raises(Unavailable):
        await send_due(away)
    await send_due(services(data, mails))
    (mail,) = mails.mails
    ((statement_id,),) = await data.rows("id", data.distributor)
    assert mail["Message-ID"] == f"<statement.{statement_id}@tonnage.invalid>"


async def test_one_recipient_does_not_keep_others(data: Sellers, mails: MailServer) -> None:
    """A full mailbox, or a domain with a typing error: the server asks to try again, for half an hour and longer."""
    await address(data, data.partner, "full@pia.example")
    for name in ("Quinn", "Rosa"):
        await address(data, await data.another(name), f"{name}@example.org")
    await data.freeze(data.distributor)
    mails.refused = {"full@pia.example": "450 mailbox full"}
    for _ in range(3):
        await send_due(services(data, mails))
    assert sorted(mail["To"] for mail in mails.mails) == ["Quinn@example.org", "Rosa@example.org"]
    assert sum("full@" in one for one in mails.recipients) == 1
    mails.refused = {}
    data.cast.now = APRIL + timedelta(minutes=30)
    await send_due(services(data, mails))
    assert len(mails.mails) == 3


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
async def test_what_is_refused_for_good_is_not_issued(
    client: AppClient, data: Sellers, mails: MailServer, step: str
) -> None:
    await address(data, data.partner, "gone@pia.example")
    await data.freeze(data.distributor)
    if step == "RCPT":
        mails.refused = {"gone@pia.example": "550 no such user"}
    else:
        mails.takes = "554 not this content"
    await send_due(services(data, mails))
    (one,) = await listed(client, data)
    found = (await call(client, data.distributor, "GET", f"statements/{one['id']}")).json()
    assert (found["state"], found["mailRefused"]) == ("frozen", "rejected")
    mails.refused, mails.takes = {}, "250 taken"
    for day in (1, 2):
        data.cast.now = APRIL + timedelta(days=day)
        await send_due(services(data, mails))
    assert [mail["To"] for mail in mails.mails][-1:] == ["gone@pia.example"]
    assert (await call(client, data.distributor, "GET", f"statements/{one['id']}")).json()["state"] == "issued"


async def test_a_buyer_that_never_gets_an_address_is_given_up(data: Sellers, mails: MailServer) -> None:
    await data.freeze(data.distributor)
    await send_due(services(data, mails))
    data.cast.now = APRIL + timedelta(days=61)
    await send_due(services(data, mails))
    await address(data, data.partner, "late@pia.example")
    data.cast.now = APRIL + timedelta(days=99)
    await send_due(services(data, mails))
    assert mails.mails == []


async def test_a_mail_that_cannot_be_made_does_not_keep_others(
    client: AppClient, data: Sellers, mails: MailServer
) -> None:
    """How its document looks was lost: with the triggers off, which no role of the program can do."""
    await address(data, data.partner, "books@pia.example")
    await address(data, await data.another("Quinn"), "quinn@example.org")
    await data.freeze(data.distributor)
    rows = await data.rows("id, partner_id", data.distributor)
    (broken,) = [row[0] for row in rows if row[1] == data.partner.organisation_id]
    with psycopg.connect(as_owner(url_of(data.cast.database))) as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update statement set design = 'lost' where id = %s", [broken])
    with pytest.raises(LookupError):
        await send_due(services(data, mails))
    assert [mail["To"] for mail in mails.mails] == ["quinn@example.org"]
    await send_due(services(data, mails))
    assert len(mails.mails) == 1
    found = (await call(client, data.distributor, "GET", f"statements/{broken}")).json()
    assert found["mailRefused"] == "failed"


async def test_void_statements_are_not_mailed(client: AppClient, data: Sellers, mails: MailServer) -> None:
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    (one,) = await listed(client, data)
    done = await call(client, data.distributor, "POST", f"statements/{one['id']}/void", json={"reason": "Wrong"})
    assert done.status_code == 204
    await send_due(services(data, mails))
    assert mails.mails == []


async def test_credit_notes_are_mailed(client: AppClient, data: Sellers, mails: MailServer) -> None:
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    (one,) = await listed(client, data)
    body = {"reason": "Goodwill"}
    done = await call(client, data.distributor, "POST", f"statements/{one['id']}/credit-notes", json=body)
    assert done.status_code == 201
    await send_due(services(data, mails))
    assert sorted(mail["Subject"].split(" for ")[0] for mail in mails.mails) == [
        "Company of DE: Credit statement INV-2026-00002",
        "Company of DE: Statement INV-2026-00001",
    ]


async def test_customers_get_no_link(data: Sellers, mails: MailServer) -> None:
    """They have no console. In the seller's language."""
    await data.describe(data.partner)
    await data.price(data.partner)
    await data.number(data.partner, mail_documents=True, locale="de_DE", document="invoice")
    subject = profiles.of_account(data.partner, data.account)
    profile = read_profile(of_country("DE", "", contactEmail="shop@example.org"))
    await data.cast.database.run(profiles.set_profile, data.partner, subject, profile, data.cast.now)
    await data.freeze(data.partner)
    await send_due(services(data, mails))
    (mail,) = mails.mails
    assert mail["Subject"] == "Company of DE: Rechnung INV-2026-00001 für März 2026"
    text = mail.get_body(("plain",))
    assert text is not None
    assert ORIGIN not in text.get_content()


async def test_who_has_not_asked_for_it_mails_nothing(data: Sellers, mails: MailServer) -> None:
    await data.number(data.distributor)
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    await data.number(data.distributor, mail_documents=True)
    await send_due(services(data, mails))
    assert mails.mails == []


async def test_without_a_mail_server_statements_wait(
    data: Sellers, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    await address(data, data.partner, "books@pia.example")
    await data.freeze(data.distributor)
    caplog.set_level(logging.INFO)
    await send_due(replace(services(data, mails), mailer=Mailer(LogOutbox(), ORIGIN)))
    assert "books@pia.example" not in caplog.text
    await send_due(services(data, mails))
    assert len(mails.mails) == 1
