"""Where a member can go: the entries of the navigation, by kind of organisation and role."""

from dataclasses import dataclass

from tonnage.access.actor import Actor, Kind, Role
from tonnage.wording.catalogue import N_


@dataclass(frozen=True)
class NavigationItem:
    """A page of the first rank; `label` is to be translated."""

    label: str
    path: str
    role: Role = Role.VIEWER


_PRICES = NavigationItem(N_("Prices"), "/prices")
_STATEMENTS = NavigationItem(N_("Statements"), "/statements")
_TEAM = NavigationItem(N_("Team"), "/team", Role.ADMIN)
_KEYS = NavigationItem(N_("API keys"), "/keys", Role.ADMIN)
_WEBHOOKS = NavigationItem(N_("Webhooks"), "/webhooks", Role.ADMIN)
_BLOCKS = NavigationItem(N_("Blocked sign-ins"), "/blocks", Role.ADMIN)
_BILLING = NavigationItem(N_("Billing profile"), "/billing-profile")
_ALERTS = NavigationItem(N_("Alerts"), "/alerts")
_INBOX = NavigationItem(N_("Inbox"), "/inbox")
_AUDIT = NavigationItem(N_("Audit log"), "/audit")

_ITEMS = {
    Kind.OPERATOR: (
        NavigationItem(N_("Overview"), "/operator"),
        NavigationItem(N_("Distributors"), "/operator/distributors"),
        NavigationItem(N_("Contracts"), "/operator/contracts"),
        NavigationItem(N_("Partners"), "/operator/partners"),
        NavigationItem(N_("Storage accounts"), "/operator/accounts"),
        _PRICES,
        _STATEMENTS,
        _ALERTS,
        _INBOX,
        NavigationItem(N_("Regions"), "/operator/regions"),
        NavigationItem(N_("Members"), "/operator/members"),
        NavigationItem(N_("Jobs"), "/operator/jobs"),
        _TEAM,
        _KEYS,
        _WEBHOOKS,
        _BLOCKS,
        _BILLING,
        _AUDIT,
    ),
    Kind.DISTRIBUTOR: (
        NavigationItem(N_("Overview"), "/distributor"),
        NavigationItem(N_("Partners"), "/distributor/partners"),
        NavigationItem(N_("Contracts"), "/distributor/contracts"),
        _PRICES,
        _STATEMENTS,
        _ALERTS,
        _INBOX,
        _TEAM,
        _KEYS,
        _WEBHOOKS,
        _BLOCKS,
        _BILLING,
        _AUDIT,
    ),
    Kind.PARTNER: (
        NavigationItem(N_("Overview"), "/partner"),
        NavigationItem(N_("Storage accounts"), "/partner/accounts"),
        NavigationItem(N_("Usage"), "/partner/usage"),
        _PRICES,
        _STATEMENTS,
        _ALERTS,
        _INBOX,
        _TEAM,
        _KEYS,
        _WEBHOOKS,
        _BLOCKS,
        _BILLING,
        _AUDIT,
    ),
}


def navigation_items(actor: Actor) -> list[NavigationItem]:
    """What the member may open, in order."""
    return [entry for entry in _ITEMS[actor.kind] if actor.role.includes(entry.role)]


def home(actor: Actor) -> str:
    """The path of the page that a member begins with."""
    return _ITEMS[actor.kind][0].path
