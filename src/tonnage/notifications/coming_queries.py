"""What comes in the next days: from the lists of the start pages."""

from collections.abc import Collection

from tonnage.attention.attention import SOON, AttentionReader
from tonnage.attention.lists import deletions, keys, statements_bought, statements_sold
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.notifications.coming import SHOWN, Coming


async def coming_for(conn: Connection, reader: AttentionReader, kinds: Collection[str]) -> list[Coming]:
    """Of these kinds of notifications. What customers have to pay belongs to those that the reader gets itself."""
    found: list[Coming] = []
    if "deletions" in kinds:
        waiting = await deletions(conn, reader, SHOWN, SOON)
        found.append(Coming(Sentence("Storage accounts that will be deleted"), "account", waiting))
    if "keys" in kinds:
        found.append(Coming(Sentence("API keys that expire"), "key", await keys(conn, reader, SHOWN, SOON)))
    if "statements" in kinds:
        bought = await statements_bought(conn, reader, SHOWN, since=reader.today)
        found.append(Coming(Sentence("Statements that you have to pay"), "statement", bought))
        sold = await statements_sold(conn, reader, SHOWN, since=reader.today)
        found.append(Coming(Sentence("Statements that your customers have to pay"), "statement", sold))
    return [one for one in found if one.found.rows]
