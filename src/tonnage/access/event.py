"""Events: the kinds of audit entries. Each feature declares its own; the console collects them."""

from dataclasses import dataclass

from tonnage.access.actor import Kind

EVERY_KIND = frozenset(Kind)
SELLERS = frozenset({Kind.OPERATOR, Kind.DISTRIBUTOR})
OPERATOR_ONLY = frozenset({Kind.OPERATOR})


@dataclass(frozen=True)
class Event:
    """A kind of audit entry."""

    action: str
    """`noun.verb`, as in `audit_entry.action`."""
    label: str
    """In English, past tense; translated when it is shown."""
    audiences: frozenset[Kind]
    """The kinds of organisations whose audit log can contain it."""

    @property
    def noun(self) -> str:
        """The subject's kind: what stands before the dot."""
        return self.action.partition(".")[0]
