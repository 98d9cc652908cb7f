"""Where the pages of statements and months are."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.billing.buyer import DraftId
from tonnage.utc import month_after, month_before

PATH = "/statements"
ADJUSTMENTS = f"{PATH}/adjustments"


def begins_with_sold(kind: Kind) -> bool:
    """Whether the list begins with what the organisation has sold: a partner's begins with what it has bought."""
    return kind is not Kind.PARTNER


def path_of(statement_id: object) -> str:
    """Of the page of a statement, frozen or a draft."""
    return f"{PATH}/{statement_id}"


def month_path(first: date) -> str:
    """Of the page of the month that begins on `first`."""
    return f"{PATH}/months/{first:%Y-%m}"


def list_path(**query: Any) -> str:
    """Of the list with these parameters; those without a value are left out."""
    return _with_query(PATH, query)


def adjustments_path(**query: Any) -> str:
    """Of the list of adjustments, likewise."""
    return _with_query(ADJUSTMENTS, query)


def adjustment_path(adjustment_id: object) -> str:
    """Of the page of an adjustment."""
    return f"{ADJUSTMENTS}/{adjustment_id}"


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{given}" if given else path


def draft_path(buyer_id: UUID | int, day: date) -> str:
    """Of the statement of a buyer and the month of `day`, as it is now; that of a frozen one redirects to it."""
    return path_of(DraftId(buyer_id, day.replace(day=1)))


def sold_path(kind: Kind, first: date) -> str:
    """Of the list of what an organisation charges for a month by fee, the running one or the last one."""
    match kind:
        case Kind.OPERATOR:
            path = "/operator/contracts"
        case Kind.DISTRIBUTOR:
            path = "/distributor/partners"
        case Kind.PARTNER:
            path = "/partner/accounts"
    return _with_query(path, {"month": f"{first:%Y-%m}", "sort": "fee"})


def bought_path(actor: Actor, first: date) -> str:
    """The same of what it is charged: a partner by one statement."""
    if actor.kind is Kind.PARTNER:
        return draft_path(actor.organisation_id, first)
    return _with_query("/distributor/contracts", {"month": f"{first:%Y-%m}", "sort": "fee"})


def earlier_month(first: date) -> date | None:
    """The first of the month before; None: there is no earlier one."""
    return month_before(first) if first > date.min else None


def later_month(first: date, today: date) -> date | None:
    """The first of the month after; None: it has not begun."""
    return after if (after := month_after(first)) <= today else None


def prices_path(seller: Kind, buyer_id: UUID | int) -> str:
    """Where a seller assigns a price book to a buyer."""
    match seller:
        case Kind.OPERATOR:
            return f"/operator/contracts/{buyer_id}/prices"
        case Kind.DISTRIBUTOR:
            return f"/distributor/partners/{buyer_id}/prices"
        case Kind.PARTNER:
            return f"/partner/accounts/{buyer_id}/prices"
