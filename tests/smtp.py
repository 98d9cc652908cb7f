"""A mail server for tests: the part of RFC 5321 that a client needs, on a free port of this machine."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """The received mails and commands. `refuses`: its negative reply to a recipient; `tls`: it offers STARTTLS."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    logins: list[str] = field(default_factory=list[str])
    refuses: str | None = None
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Its negative replies to some recipients."""
    takes: str = "250 taken"
    """Its reply to the content."""
    takes_utf8: bool = False
    tls: ssl.SSLContext | None = None
    verbs: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    """Each command, and whether it came over TLS."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        while line := (await reader.readline()).decode("latin-1"):
            verb = line[:4].upper().strip()
            self.verbs.append((verb, writer.get_extra_info("sslcontext") is not None))
            if verb == "STAR" and self.tls:
                writer.write(b"220 go on\r\n")
                try:
                    await writer.start_tls(self.tls)
                except OSError:
                    break  # the client does not trust the certificate
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(message_from_bytes(raw[:-3].replace(b"\r\n..", b"\r\n."), policy=policy.default))
                writer.write(f"{self.takes}\r\n".encode())
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(self._answer(verb, line.rstrip("\r\n")).encode() + b"\r\n")
        writer.close()

    def _answer(self, verb: str, line: str) -> str:
        if verb == "EHLO":
            offers = ["SMTPUTF8"] * self.takes_utf8 + ["STARTTLS"] * (self.tls is not None)
            return "\r\n".join([*(f"250-{offer}" for offer in ("mail.example.org", *offers)), "250 AUTH PLAIN"])
        if verb == "AUTH":
            self.logins.append(line)
            return "235 welcome"
        if verb == "RCPT":
            self.recipients.append(line)
            return self.refused.get(line.partition("<")[2].partition(">")[0], self.refuses or "250 ok")
        return "250 ok"


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None) -> AsyncGenerator[MailServer]:
    """Listens during the block."""
    one = MailServer(tls=tls)
    async with asyncio.TaskGroup() as conversations:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            conversations.create_task(one.talk(reader, writer))

        async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**24) as server:
            one.port = server.sockets[0].getsockname()[1]
            yield one
