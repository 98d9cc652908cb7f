"""Writes a mail with notifications, in its reader's language, as text and as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from tonnage.errors import Count, Sentence
from tonnage.mail import Message
from tonnage.notifications.notification import Notification
from tonnage.notifications.queries import Recipient
from tonnage.notifications.unsubscribe_link import PURPOSE, signed_text, unsubscribe_path
from tonnage.sealing import Keys
from tonnage.wording.catalogue import language_of, translations_of
from tonnage.wording.choices import negotiate
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

SHOWN, MOST_COUNTED = 20, 1_000
"""Notifications in a mail, whose rest is in the inbox; and how many are counted."""
INBOX, SETTINGS = "/inbox", "/profile/notifications"


@dataclass(frozen=True)
class MailLinks:
    """The links in mails: what they begin with, and what signs those that need no session."""

    url: str
    keys: Keys | None
    """None: mails have no link to unsubscribe."""

    def unsubscribe_link(self, recipient: Recipient) -> str | None:
        """The link that stops such mails."""
        if self.keys is None:
            return None
        signature = self.keys.hmacs(PURPOSE, signed_text(recipient.member_id, recipient.delivery))[0]
        return self.url + unsubscribe_path(recipient.member_id, recipient.delivery, signature)


@dataclass(frozen=True)
class MailLine:
    """A notification in a mail."""

    text: str
    time: str
    link: str


def written(recipient: Recipient, notifications: Sequence[Notification], links: MailLinks) -> Message:
    """The mail."""
    formats = Formats(recipient.locale or negotiate(""), recipient.time_zone or "UTC")
    language = language_of(formats.locale)
    translations = translations_of(language)

    def say(sentence: str) -> str:
        return translate(sentence, translations, formats)

    lines = [
        MailLine(
            say(one.sentence),
            f"{formats.moment(one.event.at)} {formats.zone_of(one.event.at)}",
            links.url + one.path(recipient.kind),
        )
        for one in notifications[:SHOWN]
    ]
    of_all, rest = _summary(recipient.organisation, len(notifications))
    subject = lines[0].text if len(lines) == 1 else say(of_all)
    unsubscribe = links.unsubscribe_link(recipient)
    parts: dict[str, object] = {
        "language": language,
        "subject": subject,
        "organisation": recipient.organisation,
        "lines": lines,
        "rest": say(rest) if rest else None,
        "inbox": links.url + INBOX,
        "choose": say(Sentence("Choose what you are notified of")),
        "settings": links.url + SETTINGS,
        "stop_text": say(Sentence("Stop these mails")),
        "stop": unsubscribe,
    }
    html, text = (_template(name).render(parts) for name in ("mail.html", "mail.txt"))
    message_id = f"notifications.{recipient.member_id}.{notifications[0].event.id}"
    return Message(recipient.email, " ".join(subject.split()), text, id=message_id, html=html, unsubscribe=unsubscribe)


def _summary(organisation: str, count: int) -> tuple[Sentence, Sentence | None]:
    """The subject of a mail with several, and what is said of those that it does not show."""
    if count > MOST_COUNTED:
        more_than = Sentence(
            "More than {most} notifications of {organisation}", most=MOST_COUNTED, organisation=organisation
        )
        return more_than, Sentence("and all others, in the inbox")
    several = Count("1 notification", "{count} notifications", count)
    rest = Sentence("and {count} more, in the inbox", count=count - SHOWN) if count > SHOWN else None
    return Sentence("{count} of {organisation}", count=several, organisation=organisation), rest


@lru_cache(maxsize=2)
def _template(name: str) -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=name.endswith(".html"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(name)
