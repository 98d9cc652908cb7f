"""Sends the mails about logins, API keys and webhooks, each in the language, locale and time zone of its reader."""

from uuid import UUID

from tonnage.access.lists import find_entry
from tonnage.authentication.mails import FORGOTTEN
from tonnage.db import Connection, Database
from tonnage.jobs import defer
from tonnage.mail import Mailer, Message
from tonnage.notices import queries
from tonnage.notices.notice import Notice
from tonnage.notices.queries import Reader
from tonnage.wording.catalogue import language_of, translations_of
from tonnage.wording.choices import negotiate
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate


async def notify(database: Database, mailer: Mailer, entry_id: int) -> None:
    """Defers a mail to each member that an entry of the audit log concerns: one that fails is sent again, and only that
    one. Without a mail server there are none.
    """
    if mailer.outbox.delivers:
        await database.transaction(_defer_all, entry_id)


async def _defer_all(conn: Connection, entry_id: int) -> None:
    entry = await find_entry(conn, None, entry_id)
    if entry is None:
        return
    for_admins = Notice(entry).is_for_admins
    readers = await queries.admins(conn, entry.organisation_id) if for_admins else [entry.subject_id]
    for member_id in readers:
        await defer(conn, "notices.send", f"{entry_id}/{member_id}")


async def send(database: Database, mailer: Mailer, entry_id: int, member_id: UUID) -> None:
    """Mails a member what an entry says, if there is that member still."""
    reader = await database.run(queries.find_reader, member_id)
    entry = await database.run(find_entry, reader.organisation_id, entry_id) if reader else None
    if reader is not None and entry is not None:
        await mailer.outbox.send(written(Notice(entry), reader, mailer.origin))


def written(notice: Notice, reader: Reader, origin: str) -> Message:
    """The mail."""
    formats = Formats(reader.locale or negotiate(""), reader.time_zone or "UTC")
    translations = translations_of(language_of(formats.locale))
    subject = translate(notice.subject, translations, formats)
    *facts, advice = [
        translate(sentence, translations, formats) for sentence in notice.sentences(reader.email, origin, FORGOTTEN)
    ]
    return Message(reader.email, subject, "\n\n".join([f"{subject}.", "\n".join(facts), advice]) + "\n")
