"""Writes a mail with notifications, in its reader's language, as text and as HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from tonnage.attention.attention import AttentionRow
from tonnage.errors import Count, Sentence
from tonnage.mail import Message
from tonnage.notifications.coming import Coming
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


_SAID = {
    "changed": Sentence("What changed"),
    "comes": Sentence("What comes in the next 7 days"),
    "choose": Sentence("Choose what you are notified of"),
    "stop_text": Sentence("Stop these mails"),
}
"""What every mail can say, by the names in its templates."""


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
    """When, or why."""
    link: str


@dataclass(frozen=True)
class MailSection:
    """What comes, of one kind."""

    title: str
    lines: list[MailLine]
    rest: str | None


def written(
    recipient: Recipient, notifications: Sequence[Notification], links: MailLinks, coming: Sequence[Coming], day: date
) -> Message:
    """The mail: what has happened, and what comes. One of them is there. `day`: on which it is sent."""
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
    subject = lines[0].text if len(lines) == 1 and not coming else say(of_all)
    unsubscribe = links.unsubscribe_link(recipient)
    parts: dict[str, object] = {
        "language": language,
        "subject": subject,
        "organisation": recipient.organisation,
        "lines": lines,
        "rest": say(rest) if rest else None,
        "coming": [_section(one, recipient, links, say) for one in coming],
        "inbox": links.url + INBOX,
        "home": links.url + "/",
        "settings": links.url + SETTINGS,
        "stop": unsubscribe,
        **{name: say(said) for name, said in _SAID.items()},
    }
    html, text = (_template(name).render(parts) for name in ("mail.html", "mail.txt"))
    first = notifications[0].event.id if notifications else day
    message_id = f"notifications.{recipient.member_id}.{first}"
    return Message(recipient.email, " ".join(subject.split()), text, id=message_id, html=html, unsubscribe=unsubscribe)


def _section(coming: Coming, recipient: Recipient, links: MailLinks, say: Callable[[str], str]) -> MailSection:
    rows, total = coming.found.rows, coming.found.total
    lines = [
        MailLine(
            _named(row, recipient),
            say(row.reason),
            links.url + coming.path(recipient.kind, row),
        )
        for row in rows
    ]
    rest = say(Sentence("and {count} more", count=total - len(rows))) if total > len(rows) else None
    return MailSection(say(coming.title), lines, rest)


def _named(row: AttentionRow, recipient: Recipient) -> str:
    is_own = row.organisation in ("", recipient.organisation)
    return row.name if is_own else f"{row.name} ({row.organisation})"


def _summary(organisation: str, count: int) -> tuple[Sentence, Sentence | None]:
    """The subject of a mail with several, and what is said of those that it does not show."""
    if count == 0:
        return Sentence("What comes in the next 7 days at {organisation}", organisation=organisation), None
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
