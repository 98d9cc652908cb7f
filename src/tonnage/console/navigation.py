"""Where a member can go: the entries of the navigation, by kind of organisation and role."""

from dataclasses import dataclass, replace

from tonnage.access.actor import Actor, Kind, Role
from tonnage.console.wording.catalogue import N_


@dataclass(frozen=True)
class Entry:
    """A page of the first rank; `label` is to be translated."""

    label: str
    path: str
    role: Role = Role.VIEWER


_TEAM = Entry(N_("Team"), "/team", Role.ADMIN)
_KEYS = Entry(N_("API keys"), "/keys", Role.ADMIN)
_AUDIT = Entry(N_("Audit log"), "/audit")

_ENTRIES = {
    Kind.OPERATOR: (
        Entry(N_("Overview"), "/operator"),
        Entry(N_("Distributors"), "/operator/distributors"),
        Entry(N_("Contracts"), "/operator/contracts"),
        Entry(N_("Partners"), "/operator/partners"),
        Entry(N_("Storage accounts"), "/operator/accounts"),
        Entry(N_("Regions"), "/operator/regions"),
        Entry(N_("Members"), "/operator/members"),
        Entry(N_("Jobs"), "/operator/jobs"),
        _TEAM,
        _KEYS,
        _AUDIT,
    ),
    Kind.DISTRIBUTOR: (
        Entry(N_("Partners"), "/distributor/partners"),
        Entry(N_("Contracts"), "/distributor/contracts"),
        _TEAM,
        _KEYS,
        _AUDIT,
    ),
    Kind.PARTNER: (
        Entry(N_("Storage accounts"), "/partner/accounts"),
        Entry(N_("Usage"), "/partner/usage"),
        _TEAM,
        _KEYS,
        replace(_AUDIT, role=Role.STAFF),
    ),
}


def entries(actor: Actor) -> list[Entry]:
    """What the member may open, in order."""
    return [entry for entry in _ENTRIES[actor.kind] if actor.role.includes(entry.role)]


def home(actor: Actor) -> str:
    """The path of the page that a member begins with."""
    return _ENTRIES[actor.kind][0].path
