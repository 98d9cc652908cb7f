"""Writes the mail to a contact, in the name and the language of the seller, as text and as HTML.

It has no links into the console: a contact has no login.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from tonnage.billing_profiles.queries import seller_profile
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.contact_mails.contact_mail import ContactMail
from tonnage.contact_mails.stop_link import PURPOSE, signed_text, stop_path
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.mail import Message
from tonnage.sealing import Keys
from tonnage.wording.catalogue import language_of, translations_of
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate


@dataclass(frozen=True)
class MailKeys:
    """What the links in mails begin with, and what signs them."""

    url: str
    keys: Keys | None
    """None: mails have no link that stops them."""

    def stop_link(self, mail: ContactMail) -> str | None:
        """The link that stops such mails."""
        if self.keys is None:
            return None
        signature = self.keys.hmacs(PURPOSE, signed_text(mail.account_id, mail.email_key))[0]
        return self.url + stop_path(mail.account_id, mail.email_key, signature)


async def written(conn: Connection, mail: ContactMail, links: MailKeys) -> Message:
    """The mail. ValueError: there is nothing to say."""
    if mail.level is None or mail.crossed_at is None:
        raise ValueError("no level is reached")
    settings = (await seller_settings(conn, mail.partner_id)).settings
    profile = await seller_profile(conn, mail.partner_id)
    reply_to = (profile.contact_email or None) if profile else None
    formats, language = Formats(settings.locale, "UTC"), language_of(settings.locale)
    translations = translations_of(language)

    def say(sentence: Sentence) -> str:
        return translate(sentence, translations, formats)

    subject, stop = say(mail.subject), links.stop_link(mail)
    parts: dict[str, object] = {
        "language": language,
        "colour": settings.colour,
        "partner": mail.partner,
        "subject": subject,
        "paragraphs": [
            say(one) for one in [*mail.sentences(mail.level, mail.crossed_at), _whom_to_ask(mail, reply_to)]
        ],
        "why": say(mail.why),
        "percent": min(100, mail.used * 100 // mail.capacity),
        "stop": stop,
        "stop_text": say(Sentence("Stop these mails")),
    }
    html, text = (_template(name).render(parts) for name in ("contact.html", "contact.txt"))
    return Message(
        mail.email,
        " ".join(subject.split()),
        text,
        reply_to=reply_to,
        id=f"contact.{mail.account_id}.{mail.alert}",
        html=html,
        unsubscribe=stop,
        sender_name=mail.partner,
    )


def _whom_to_ask(mail: ContactMail, reply_to: str | None) -> Sentence:
    if reply_to is None:
        return Sentence("Questions, or more capacity? Ask {partner}.", partner=mail.partner)
    return Sentence("Questions, or more capacity? Ask {partner}: {email}", partner=mail.partner, email=reply_to)


@lru_cache(maxsize=2)
def _template(name: str) -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=name.endswith(".html"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(name)
