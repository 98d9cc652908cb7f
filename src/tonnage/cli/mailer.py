"""Where mails go, and where the links in them lead, by the settings."""

import click

from tonnage.config import Settings
from tonnage.mail import Mailer, outbox


def mailer(settings: Settings, origin: str) -> Mailer:
    """`origin` stands in where no public URL is set. Raises click.UsageError: a setting of mail is wrong."""
    try:
        return Mailer(outbox(settings.smtp_url, settings.mail_from), settings.public_url or origin)
    except ValueError as error:
        raise click.UsageError(f"TONNAGE_SMTP_URL: {error}.") from error
