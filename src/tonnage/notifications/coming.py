"""What comes in the next days, as the weekly mail says it."""

from typing import NamedTuple

from tonnage.access.actor import Kind
from tonnage.attention.attention import Attention, AttentionRow
from tonnage.notifications.notification import page_of

SHOWN = 5
"""Things of each kind; the mail links to the others."""


class Coming(NamedTuple):
    """Things of one kind."""

    title: str
    """In English; translated when it is written."""
    noun: str
    """`account`, `key` or `statement`."""
    found: Attention

    def path(self, audience: Kind, row: AttentionRow) -> str:
        """The page of one of them."""
        if self.noun == "statement":
            return f"/statements/{row.id}"
        return "/keys" if self.noun == "key" else page_of(audience, self.noun, row.id, str(row.organisation_id))
