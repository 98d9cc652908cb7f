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
from tonnage.notifications.stop_link import PURPOSE, signed_text, stop_path
from tonnage.sealing import Keys
from tonnage.wording.catalogue import language_of, translations_of
from tonnage.wording.choices import negotiate
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

SHOWN, MOST_COUNTED = 20, 1_000
"""Notifications in a mail, whose rest is in the inbox; and how many are counted."""
INBOX, SETTINGS = "/inbox", "/profile/notifications"


@dataclass(frozen=True)
class MailOrigin:
    """What links of mails begin with, and what signs them."""

    url: str
    keys: Keys | None
    """None: mails have no link to stop them."""

    def stop_link(self, recipient: Recipient) -> str | None:
        """The link that stops such mails."""
        if self.keys is None:
            return None
        signature = self.keys.hmacs(PURPOSE, signed_text(recipient.member_id, recipient.delivery))[0]
        return self.url + stop_path(recipient.member_id, recipient.delivery, signature)


@dataclass(frozen=True)
class MailLine:
    """A notification in a mail."""

    text: str
    time: str
    link: str


def written(recipient: Recipient, notifications: Sequence[Notification], origin: MailOrigin) -> Message:
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
            origin.url + one.path(recipient.kind),
        )
        for one in notifications[:SHOWN]
    ]
    count = len(notifications)
    several = Count("1 notification", "{count} notifications", count)
    of_all = Sentence("{count} of {organisation}", count=several, organisation=recipient.organisation)
    if count > MOST_COUNTED:
        of_all = Sentence(
            "More than {most} notifications of {organisation}", most=MOST_COUNTED, organisation=recipient.organisation
        )
        rest = say(Sentence("and all others, in the inbox"))
    else:
        rest = say(Sentence("and {count} more, in the inbox", count=count - SHOWN)) if count > SHOWN else None
    subject = lines[0].text if count == 1 else say(of_all)
    stop = origin.stop_link(recipient)
    choose, stop_text = say(Sentence("Choose what you are notified of")), say(Sentence("Stop these mails"))
    html = _template().render(
        language=language,
        subject=subject,
        organisation=recipient.organisation,
        lines=lines,
        rest=rest,
        inbox=origin.url + INBOX,
        settings=origin.url + SETTINGS,
        choose=choose,
        stop=stop,
        stop_text=stop_text,
    )
    paragraphs = [f"{line.text}\n{line.time}\n{line.link}" for line in lines]
    if rest:
        paragraphs.append(f"{rest}\n{origin.url}{INBOX}")
    paragraphs.append(f"{choose}: {origin.url}{SETTINGS}" + (f"\n{stop_text}: {stop}" if stop else ""))
    return Message(
        recipient.email,
        " ".join(subject.split()),
        "\n\n".join(paragraphs) + "\n",
        id=f"notifications.{recipient.member_id}.{notifications[0].event.id}",
        html=html,
        unsubscribe=stop,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("mail.html")
