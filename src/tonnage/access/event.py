"""Events: the kinds of audit entries. Each feature declares its own; `events/registry.py` collects them."""

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
    type: str | None = None
    """Its type in the feed of events, `noun.participle`. None: it is in the audit log alone."""
    is_private: bool = False
    """Whether the feed shows it to its own organisation alone, and neither to that one's distributor nor to the
    operator: what an organisation sells for is nobody else's business."""

    @property
    def noun(self) -> str:
        """The subject's kind: what stands before the dot."""
        return self.action.partition(".")[0]
