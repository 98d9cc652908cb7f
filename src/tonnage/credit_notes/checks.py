"""What `tonnage doctor` computes again of credit notes."""

from tonnage.access.checks import MOST_SHOWN, Check, Checking, Difference
from tonnage.credit_notes.queries import credited_ids, verify
from tonnage.db import Connection

_NEWEST = 1000
"""Credit notes; `tonnage statement verify --all` computes all of them."""


async def newest(conn: Connection) -> Check:
    """Computes the taxes and sums of the newest credit notes again."""
    ids = await credited_ids(conn, _NEWEST)
    found = await verify(conn, ids)
    shown = tuple(Difference(str(one), difference, "as computed") for one, difference in found.items())[:MOST_SHOWN]
    return Check("credit notes: the newest, computed again", len(ids), len(found), shown)


ALL: tuple[Checking, ...] = (newest,)
