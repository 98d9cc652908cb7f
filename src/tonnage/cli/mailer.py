"""Where mails go, and where the links in them lead, by the settings."""

from dataclasses import dataclass

import click

from tonnage.config import Settings
from tonnage.mail import LogOutbox, Mailer, Message, Outbox, outbox
from tonnage.sandbox_clock import SandboxClock


@dataclass(frozen=True)
class _OutboxOfDatabase:
    """The configured outbox; in a sandbox the log instead."""

    configured: Outbox
    clock: SandboxClock

    async def send(self, message: Message) -> None:
        """As Outbox."""
        await (self.configured if self.clock.time is None else LogOutbox()).send(message)


def mailer(settings: Settings, origin: str, clock: SandboxClock) -> Mailer:
    """`origin` stands in where no public URL is set. Raises click.UsageError: a setting of mail is wrong."""
    try:
        configured = outbox(settings.smtp_url, settings.mail_from)
        return Mailer(_OutboxOfDatabase(configured, clock), settings.public_url or origin)
    except ValueError as error:
        raise click.UsageError(f"TONNAGE_SMTP_URL: {error}.") from error
