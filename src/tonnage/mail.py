"""Outgoing mail: over SMTP, or to the log if no server is configured."""

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from tonnage.clock import system_time
from tonnage.email_address import ascii_domain
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Unavailable

_log = logging.getLogger(__name__)

_PATIENCE = 20.0
"""Seconds for each step of an SMTP session."""
_LONG_PATIENCE = 300.0
"""Seconds likewise, where servers look into files before they accept a mail (RFC 5321, section 4.5.3.2)."""

_NO_UTF8 = (
    "The mail server accepts only ASCII before the @ of an address (it does not offer SMTPUTF8). Give the member "
    "another address, or set TONNAGE_SMTP_URL to a server that accepts it and run the job again."
)

_NO_TLS = (
    "The mail server does not offer STARTTLS, so nothing was sent to it: others could read the mail on its way. Set "
    "TONNAGE_SMTP_URL to smtps://..., or to smtp+plain://... if nobody can read what is sent to this server."
)

_DOMAIN = "tonnage.invalid"

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 587}


@dataclass(frozen=True)
class Attachment:
    """A file of a mail."""

    name: str
    content: bytes
    media_type: str
    """As `application/pdf`."""


@dataclass(frozen=True)
class Message:
    """A mail in plain text, and perhaps in HTML."""

    to: str
    subject: str
    text: str
    attachments: Sequence[Attachment] = ()
    reply_to: str | None = None
    """Whom a reply reaches; None: the sender."""
    id: str | None = None
    """The same for a mail that is sent again, so that mail servers may drop it. None: each time another one."""
    html: str | None = None
    """The same content, for readers that show it."""
    unsubscribe: str | None = None
    """The address that one POST without a session stops such mails at (RFC 8058)."""
    sender_name: str | None = None
    """In whose name it is sent; None: as the sender is configured."""


class Deferred(Unavailable):
    """The mail server does not accept this mail at the moment; it may accept others."""


class Outbox(Protocol):
    """Where mails are sent."""

    @property
    def delivers(self) -> bool:
        """Whether mails reach their readers; False: they only go to the log."""
        ...

    async def send(self, message: Message) -> bool:
        """Whether it was accepted. False: its server rejects it permanently, which is logged.

        Raises Deferred if this mail should be retried, Unavailable if all should, Conflict if the server does not
        accept such an address.
        """
        ...


@dataclass(frozen=True)
class Mailer:
    """What it takes to send mails with links: the outbox, and the base URL of the links, without a trailing slash."""

    outbox: Outbox
    origin: str


class LogOutbox:
    """For trials: anybody who can read the log can read the mails and use the links in them."""

    delivers = False

    async def send(self, message: Message) -> bool:
        """Logs the whole mail."""
        files = "".join(f"\n({one.name}, {len(one.content)} bytes)" for one in message.attachments)
        _log.info("mail to %s: %s\n%s%s", message.to, message.subject, message.text, files)
        return True


class SmtpOutbox:
    """A server: `smtp://user:password@host:port` (STARTTLS, else nothing is sent), `smtps://` (TLS from the start) or
    `smtp+plain://` (without TLS).
    """

    delivers = True

    def __init__(self, url: str, sender: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = smtp_server(url)
        self._sender = sender
        self._tls = tls

    async def send(self, message: Message) -> bool:
        """Sends the mail to the server."""
        server = self._server
        try:
            await aiosmtplib.send(
                written(message, self._sender),
                hostname=server.hostname,
                port=server.port or _PORTS[server.scheme],
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password) if server.password else None,
                use_tls=server.scheme == "smtps",
                start_tls=server.scheme == "smtp",
                timeout=_LONG_PATIENCE if message.attachments else _PATIENCE,
                tls_context=self._tls,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusals = [refusal.code for refusal in error.recipients]
            if any(code < 500 for code in refusals):
                raise _deferred(refusals[0]) from error
            # Permanent: the address is wrong, and no retry makes it right. The address is not logged.
            _log.warning("the mail server refuses a recipient (%s); the mail is dropped", refusals[0])
            return False
        except aiosmtplib.SMTPDataError as error:
            if error.code < 500:
                raise _deferred(error.code) from error
            _log.warning("the mail server refuses the content of a mail (%s); it is dropped", error.code)
            return False
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _failure(error) from error
        return True


def _failure(error: aiosmtplib.SMTPException | OSError) -> Conflict | Unavailable:
    # The same exception says, with another text, that a server does not support authentication.
    if isinstance(error, aiosmtplib.SMTPNotSupported) and "SMTPUTF8" in error.message:
        return Conflict(_NO_UTF8, ConflictCode.MAIL_REFUSED)
    # Not permanent: an attacker on the way may have removed the offer.
    if "STARTTLS extension not supported" in str(error):
        return Unavailable(_NO_TLS, UnavailableCode.MAIL_UNAVAILABLE)
    # An exception's text may repeat an address.
    code = f" {error.code}" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    return Unavailable(
        f"The mail server did not accept the mail: {type(error).__name__}{code}.", UnavailableCode.MAIL_UNAVAILABLE
    )


def _deferred(code: int) -> Deferred:
    return Deferred(f"The mail server does not accept mail at the moment ({code}).", UnavailableCode.MAIL_UNAVAILABLE)


def outbox(smtp_url: str | None, sender: str | None) -> Outbox:
    """The configured server; without one the log, which is logged. ValueError: a setting is wrong or missing."""
    if smtp_url is None:
        _log.warning(
            "Mails go to the log, including links for new passwords: no mail server is set (TONNAGE_SMTP_URL)."
        )
        return LogOutbox()
    if sender is None or not _is_address(sender):
        raise ValueError("set the sender of mails in TONNAGE_MAIL_FROM, such as console@example.com")
    return SmtpOutbox(smtp_url, sender)


def _is_address(sender: str) -> bool:
    _, address = parseaddr(sender)
    return sender.isprintable() and "@" in address.strip("@")


def smtp_server(url: str) -> SplitResult:
    """The parts of a mail server's URL. ValueError, with a message that does not repeat its password."""
    wrong = "write it as smtp://user:password@mail.example.com:587, smtps://... or smtp+plain://..."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path.strip("/") or parts.query:
        raise ValueError(wrong)
    return parts


def written(message: Message, sender: str) -> EmailMessage:
    """The mail in its SMTP form. Python's message objects refuse line ends in headers: ValueError."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _with_ascii_domain(sender) if message.sender_name is None else _named(message.sender_name, sender)
    mail["To"] = _with_ascii_domain(message.to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(system_time())
    mail["Message-ID"] = f"<{message.id}@{_DOMAIN}>" if message.id else make_msgid(domain=_DOMAIN)
    if message.reply_to:
        mail["Reply-To"] = _with_ascii_domain(message.reply_to)
    # Prevents automatic replies (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for one in message.attachments:
        kind, _, subtype = one.media_type.partition("/")
        mail.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
    return mail


def _named(name: str, sender: str) -> Address:
    local, _, domain = parseaddr(_with_ascii_domain(sender))[1].rpartition("@")
    return Address(name, local, domain)


def _with_ascii_domain(address: str) -> str:
    """The address, with or without a display name, in a form for servers without SMTPUTF8 (RFC 5891)."""
    before, at, domain = address.rpartition("@")
    bare = domain.rstrip("> ")
    # What is no DNS domain stays: the mail server must decide what to do with it.
    return f"{before}{at}{ascii_domain(bare) or bare}{domain[len(bare) :]}"
