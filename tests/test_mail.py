"""Mails, sent over SMTP to a real server on this machine, or written to the log."""

import base64
import logging
from pathlib import Path

import pytest

from tests.smtp import mail_server
from tests.tls import Authority
from tonnage.errors import Conflict, Unavailable
from tonnage.mail import LogOutbox, Message, SmtpOutbox, outbox, smtp_server, written

pytestmark = pytest.mark.anyio

MESSAGE = Message("ann@example.org", "Grüße", "Zwölf Boxkämpfer\n.\n..\nhttps://console.example.org/x\n" + "x" * 2000)
SENDER = "Storage console <console@example.org>"


async def test_a_mail_arrives_as_it_was_meant() -> None:
    async with mail_server() as server:
        await SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    (mail,) = server.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("ann@example.org", SENDER, "Grüße")
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.text + "\n"
    assert mail.get_content_type() == "text/plain"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime
    assert server.recipients == ["RCPT TO:<ann@example.org>"]
    assert server.logins == []


async def test_user_and_password_are_those_of_the_url() -> None:
    async with mail_server() as server:
        await SmtpOutbox(f"smtp+plain://us%40er:p%2Fw@127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    assert server.logins == [f"AUTH PLAIN {base64.b64encode(b'%c us@er%c p/w'.replace(b' ', b'') % (0, 0)).decode()}"]


async def test_an_unreachable_or_busy_server_is_retried() -> None:
    async with mail_server() as server:
        server.refuses = "451 later"
        with pytest.raises(Unavailable, match="451"):
            await SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    with pytest.raises(Unavailable, match="mail server") as refusal:
        await SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    assert "ann@" not in str(refusal.value)


async def test_a_permanent_refusal_is_not_retried(caplog: pytest.LogCaptureFixture) -> None:
    async with mail_server() as server:
        server.refuses = "550 no such user"
        await SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    assert "refuses a recipient (550)" in caplog.text
    assert "ann@" not in caplog.text


async def test_a_domain_goes_over_the_wire_in_ascii() -> None:
    async with mail_server() as server:
        box = SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", "Büro <console@bücher.example>")
        for to in ("ann@bücher.example", "ann@例え.テスト", "ann@example.org"):
            await box.send(Message(to, "x", "x"))
    assert server.recipients == [
        "RCPT TO:<ann@xn--bcher-kva.example>",
        "RCPT TO:<ann@xn--r8jz45g.xn--zckzah>",
        "RCPT TO:<ann@example.org>",
    ]
    assert server.mails[0]["To"] == "ann@xn--bcher-kva.example"
    assert server.mails[0]["From"] == "Büro <console@xn--bcher-kva.example>"


async def test_an_address_that_the_server_cannot_take_is_not_tried_again() -> None:
    async with mail_server() as server:
        box = SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER)
        with pytest.raises(Conflict, match="does not offer SMTPUTF8") as refusal:
            await box.send(Message("jörg@bücher.example", "x", "x"))
        assert server.recipients == []
        server.takes_utf8 = True
        await box.send(Message("jörg@bücher.example", "x", "x"))
    assert "jörg" not in str(refusal.value)
    (recipient,) = server.recipients
    assert recipient.encode("latin-1").decode() == "RCPT TO:<jörg@xn--bcher-kva.example>"


async def test_a_mail_goes_over_tls_and_nothing_of_it_before(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with mail_server(authority.server("127.0.0.1")) as server:
        url = f"smtp://user:word@127.0.0.1:{server.port}"
        await SmtpOutbox(url, SENDER, tls=authority.client()).send(MESSAGE)
    assert server.verbs == [
        *(("EHLO", False), ("STAR", False)),
        *((verb, True) for verb in ("EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT")),
    ]
    assert len(server.mails) == 1


async def test_a_server_without_starttls_gets_no_mail_and_no_password() -> None:
    async with mail_server() as server:
        with pytest.raises(Unavailable, match="does not offer STARTTLS, so nothing was sent") as refusal:
            await SmtpOutbox(f"smtp://user:s3cret@127.0.0.1:{server.port}", SENDER).send(MESSAGE)
        assert "s3cret" not in str(refusal.value)
        assert {verb for verb, _ in server.verbs} <= {"EHLO", "QUIT"}


async def test_a_server_with_a_certificate_of_nobody_gets_no_mail(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for address in ("127.0.0.1", "127.0.0.2"):
        trusted = authority.client() if address == "127.0.0.2" else None
        async with mail_server(authority.server(address)) as server:
            with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                await SmtpOutbox(f"smtp://u:p@127.0.0.1:{server.port}", SENDER, tls=trusted).send(MESSAGE)
        assert {verb for verb, _ in server.verbs} == {"EHLO", "STAR"}


async def test_without_tls_only_by_the_name_of_the_scheme(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with mail_server(authority.server("127.0.0.1")) as server:
        await SmtpOutbox(f"smtp+plain://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    assert ("DATA", False) in server.verbs


async def test_a_server_that_should_speak_tls_and_does_not_gets_nothing() -> None:
    async with mail_server() as server:
        with pytest.raises(Unavailable):
            await SmtpOutbox(f"smtps://127.0.0.1:{server.port}", SENDER).send(MESSAGE)
    assert server.mails == server.recipients == []


@pytest.mark.parametrize("injected", ["ann@example.org\r\nBcc: eve@example.org", "ann@example.org\nX: y"])
def test_a_header_cannot_be_injected(injected: str) -> None:
    for message in (Message(injected, "x", "x"), Message("ann@example.org", injected, "x")):
        with pytest.raises(ValueError, match=r"[Hh]eader"):
            written(message, SENDER)


async def test_without_a_server_mails_go_to_the_log_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log = outbox(None, None)
        assert isinstance(log, LogOutbox)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "TONNAGE_SMTP_URL" in caplog.text
        await log.send(MESSAGE)
    assert "ann@example.org" in caplog.text
    assert "https://console.example.org/x" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp+plain://",
        "smtp+tls://mail.example.org",
        "smtp://:25",
        "smtp://u:s3cret@mail.example.org:port",
        "smtp://u:s3cret@mail.example.org/path",
        "smtp://mail.example.org?x=y",
        "smtp://u:s3cret@[bad",
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="write it as smtp://") as refusal:
        smtp_server(url)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("sender", [None, "", "nobody", "@", "a@b\nBcc: c@d"])
def test_the_sender_must_be_an_address(sender: str | None) -> None:
    with pytest.raises(ValueError, match="TONNAGE_MAIL_FROM"):
        outbox("smtp://mail.example.org", sender)
