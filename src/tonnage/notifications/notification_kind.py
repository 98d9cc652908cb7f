"""What members are notified of, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tonnage.access.actor import Kind
from tonnage.errors import Sentence


class Delivery(StrEnum):
    """How a member is notified by mail. The inbox has everything."""

    AT_ONCE = "at_once"
    """Within minutes, at most one mail an hour."""
    DAILY = "daily"
    """Together, at seven in the morning."""
    WEEKLY = "weekly"
    """Together, on Monday at seven."""
    NONE = "none"


@dataclass(frozen=True)
class NotificationKind:
    """Events that members choose together."""

    name: str
    label: str
    """In English; translated when it is shown."""
    types: tuple[str, ...]
    """Of events."""
    defaults: Mapping[Kind, Delivery]
    """By the kind of organisation; members of others are not notified."""
    of_own: bool = False
    """Whether only events of the own organisation count, and not those of its partners."""


_ONCE, _DAILY, _WEEKLY, _NONE = Delivery.AT_ONCE, Delivery.DAILY, Delivery.WEEKLY, Delivery.NONE
_OPERATOR, _DISTRIBUTOR, _PARTNER = Kind.OPERATOR, Kind.DISTRIBUTOR, Kind.PARTNER

KINDS = (
    NotificationKind(
        "account_alerts",
        Sentence("Storage accounts that reach an alert level"),
        ("account.alert", "account.over_allocation", "account.cap_alert", "account.cap_reached"),
        {_OPERATOR: _NONE, _DISTRIBUTOR: _NONE, _PARTNER: _ONCE},
    ),
    NotificationKind(
        "partner_alerts",
        Sentence("Partners that reach an alert level"),
        ("partner.alert", "partner.over_allocation", "partner.cap_alert", "partner.cap_reached"),
        {_OPERATOR: _NONE, _DISTRIBUTOR: _ONCE, _PARTNER: _ONCE},
    ),
    NotificationKind(
        "contract_alerts",
        Sentence("Contracts that reach an alert level"),
        ("contract.alert", "contract.over_reserved"),
        {_OPERATOR: _ONCE, _DISTRIBUTOR: _ONCE},
    ),
    NotificationKind(
        "overrides",
        Sentence("Timed overrides that end soon"),
        ("account.override_ending", "partner.override_ending"),
        {_OPERATOR: _NONE, _DISTRIBUTOR: _DAILY, _PARTNER: _ONCE},
    ),
    NotificationKind(
        "deletions",
        Sentence("Storage accounts that wait for deletion"),
        ("account.deletion_scheduled",),
        {_OPERATOR: _NONE, _DISTRIBUTOR: _WEEKLY, _PARTNER: _DAILY},
    ),
    NotificationKind(
        "statements",
        Sentence("Statements and credit notes that you get"),
        ("statement.received", "credit_note.received"),
        {_DISTRIBUTOR: _DAILY, _PARTNER: _DAILY},
        of_own=True,
    ),
    NotificationKind(
        "suspensions",
        Sentence("Partners that are suspended, resumed, or warned of it"),
        ("partner.suspended", "partner.resumed", "partner.suspension_warned"),
        {_OPERATOR: _NONE, _DISTRIBUTOR: _DAILY, _PARTNER: _ONCE},
    ),
    NotificationKind(
        "keys",
        Sentence("API keys that expire"),
        ("key.expiring", "key.expired"),
        {_OPERATOR: _ONCE, _DISTRIBUTOR: _ONCE, _PARTNER: _ONCE},
        of_own=True,
    ),
    NotificationKind(
        "clusters",
        Sentence("Storage clusters that fail and recover"),
        ("region.failed", "region.recovered"),
        {_OPERATOR: _ONCE},
    ),
)
"""In the order in which members see them."""

_MORNING = time(7)
_PAUSE = timedelta(hours=1)
"""Between two mails at once to one member."""


def kinds_for(kind: Kind) -> list[NotificationKind]:
    """What members of such an organisation can be notified of."""
    return [one for one in KINDS if kind in one.defaults]


def due_at(delivery: Delivery, now: datetime, time_zone: str | None, mailed_at: datetime | None) -> datetime:
    """When a mail about what has just happened is to be sent, by the reader's time zone."""
    if delivery is Delivery.AT_ONCE:
        return now if mailed_at is None else max(now, mailed_at + _PAUSE)
    try:
        zone = ZoneInfo(time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = now.astimezone(zone)
    day = local.date() if local.time() < _MORNING else local.date() + timedelta(days=1)
    if delivery is Delivery.WEEKLY:
        day += timedelta(days=-day.weekday() % 7)
    return datetime.combine(day, _MORNING, zone)
