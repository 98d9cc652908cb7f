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

    @property
    def delivers(self) -> bool:
        """As Outbox."""
        return self._present.delivers

    async def send(self, message: Message) -> bool:
        """As Outbox."""
        return await self._present.send(message)

    @property
    def _present(self) -> Outbox:
        return self.configured if self.clock.time is None else LogOutbox()


def mailer(settings: Settings, origin: str, clock: SandboxClock) -> Mailer:
    """`origin` stands in where no public URL is set. Raises click.UsageError: a setting of mail is wrong."""
    try:
        configured = outbox(settings.smtp_url, settings.mail_from)
        return Mailer(_OutboxOfDatabase(configured, clock), settings.public_url or origin)
    except ValueError as error:
        raise click.UsageError(f"TONNAGE_SMTP_URL: {error}.") from error
