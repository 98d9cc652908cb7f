"""A mail server for tests: the part of RFC 5321 that a client needs, on a free port of this machine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """The received mails and commands. `refuses` is its negative reply to a recipient."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    logins: list[str] = field(default_factory=list[str])
    refuses: str | None = None
    takes_utf8: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        while line := (await reader.readline()).decode("latin-1"):
            verb = line[:4].upper().strip()
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(message_from_bytes(raw[:-3].replace(b"\r\n..", b"\r\n."), policy=policy.default))
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(self._answer(verb, line.rstrip("\r\n")).encode() + b"\r\n")
        writer.close()

    def _answer(self, verb: str, line: str) -> str:
        if verb == "EHLO":
            return f"250-mail.example.org\r\n{'250-SMTPUTF8' if self.takes_utf8 else '250-8BITMIME'}\r\n250 AUTH PLAIN"
        if verb == "AUTH":
            self.logins.append(line)
            return "235 welcome"
        if verb == "RCPT":
            self.recipients.append(line)
            return self.refuses or "250 ok"
        return "250 ok"


@asynccontextmanager
async def mail_server() -> AsyncGenerator[MailServer]:
    """Listens during the block."""
    one = MailServer()
    server = await asyncio.start_server(one.talk, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one
