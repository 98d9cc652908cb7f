"""The page of a month: what was sold and bought, what keeps statements from being frozen, and their freeze."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.billing.buyer import month_in, require_begun
from tonnage.billing.month_net import Fees
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.rendering import gettext, ngettext, said
from tonnage.console.statements.blocked import ShownBlocked, shown_blocked
from tonnage.console.statements.paths import (
    PATH,
    adjustments_path,
    bought_path,
    earlier_month,
    later_month,
    list_path,
    month_path,
    sold_path,
)
from tonnage.db import Connection
from tonnage.errors import Conflict
from tonnage.money import Money
from tonnage.month_end.freezing import FreezeResult, MonthSum, SellerMonth, require_over
from tonnage.month_end.freezing_actions import freeze
from tonnage.month_end.lists import blocked_by_reason, month_without_blocked
from tonnage.price_books.queries import every_book
from tonnage.statements.lists import UNPAID
from tonnage.utc import month_after, month_before
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=f"{PATH}/months/{{month}}", route_class=AuthFirstRoute, include_in_schema=False)

_MOST_BLOCKED = 20
"""Buyers shown of each reason."""


class _MonthAndSeller(NamedTuple):
    month: SellerMonth
    blocked: Sequence[ShownBlocked]
    sells: bool
    """Whether its statements are frozen by themselves: it has prices."""
    freezes_on: date
    """When that happens."""


@routes.get("")
async def show(page: AnyMember, month: str) -> Response:
    """Every figure leads to the statements behind it."""
    first = month_in(month)
    require_begun(first, page.today)
    read = await page.database.run(_read, page, first)
    before, after = earlier_month(first), later_month(first, page.today)
    is_stored = first >= month_before(page.today)
    return page.render(
        "statements/month.html",
        read=read,
        month=read.month,
        first=first,
        before=(before, month_path(before)) if before else None,
        after=(after, month_path(after)) if after else None,
        sides=_sides(page, read.month),
        is_stored=is_stored,
        adjustments=[(one.count, Money(one.amount, one.currency)) for one in read.month.adjustments],
        adjustments_path=adjustments_path(role="seller", month=f"{first:%Y-%m}"),
        may_freeze=page.actor.role is Role.ADMIN and read.month.is_over and read.sells,
        pages_of_buyers=(_label_of_buyers(page.actor.kind), sold_path(page.actor.kind, first)),
    )


@dataclass(frozen=True)
class _Row:
    """Statements in one currency; the paths lead to them."""

    count: int
    net: Money
    gross: Money
    paid: Money
    unpaid: Money
    every: str
    paid_ones: str
    unpaid_ones: str


class _SideSums(NamedTuple):
    """What was sold, or bought."""

    sold: bool
    rows: Sequence[_Row]
    """What is frozen."""
    so_far: Fees
    """What is charged beside it."""
    path: str
    """Of the list of that, or of the statement."""


def _sides(page: PageRequest, month: SellerMonth) -> list[_SideSums]:
    actor, first = page.actor, month.first
    rows = [_row(one, first, sold=True) for one in month.sold]
    sides = [_SideSums(True, rows, month.so_far.sold, sold_path(actor.kind, first))]
    if actor.kind is not Kind.OPERATOR:
        rows = [_row(one, first, sold=False) for one in month.bought]
        sides.append(_SideSums(False, rows, month.so_far.bought, bought_path(actor, first)))
    return sides


def _row(one: MonthSum, first: date, *, sold: bool) -> _Row:
    amounts = (one.net, one.gross, one.paid, one.unpaid)
    net, gross, paid, unpaid = (Money(amount, one.currency) for amount in amounts)
    query = {"role": "seller" if sold else "buyer", "month": f"{first:%Y-%m}"}
    every, paid_ones, unpaid_ones = (list_path(**query, show=state) for state in ("", "paid", UNPAID))
    return _Row(one.statements, net, gross, paid, unpaid, every, paid_ones, unpaid_ones)


def _label_of_buyers(kind: Kind) -> str:
    """Of the list in which statements so far are found."""
    match kind:
        case Kind.OPERATOR:
            return gettext("Contracts")
        case Kind.DISTRIBUTOR:
            return gettext("Partners")
        case Kind.PARTNER:
            return gettext("Storage accounts")


async def _read(conn: Connection, page: PageRequest, first: date) -> _MonthAndSeller:
    viewer = page.actor.organisation_id
    found = await month_without_blocked(conn, page.actor, first, page.today, page.services.wall_clock())
    blocked = [shown_blocked(page, group) for group in await blocked_by_reason(conn, viewer, first, _MOST_BLOCKED)]
    sells = page.actor.kind is Kind.OPERATOR or bool(await every_book(conn, viewer))
    day = (await seller_settings(conn, viewer)).settings.freeze_day
    return _MonthAndSeller(found, blocked, sells, month_after(first).replace(day=day))


@routes.get("/freeze")
@routes.post("/freeze")
async def freeze_month(page: AnyAdmin, month: str) -> Response:
    """Asks, then freezes what can be frozen of the reader's own statements. What is frozen stays as it is."""
    first = month_in(month)
    require_begun(first, page.today)
    done: list[FreezeResult] = []

    async def ask() -> Confirmation:
        return _question(page, first, await page.database.run(_read, page, first))

    async def act() -> None:
        done.append(await freeze(page.services, page.actor, first, page.business_now))

    return await confirm(page, ask, act, done=month_path(first), notice=lambda: _notice(page, done[0]))


def _question(page: PageRequest, first: date, read: _MonthAndSeller) -> Confirmation:
    name = page.formats.month(first)
    refusal = _refusal(page, first)
    return Confirmation(
        title=gettext("Freeze %(month)s") % {"month": name},
        crumbs=[(gettext("Statements"), PATH), (name, month_path(first))],
        sentences=[refusal] if refusal else _consequences(page, first, read),
        button=None if refusal else gettext("Freeze statements"),
        cancel=month_path(first),
    )


def _refusal(page: PageRequest, first: date) -> str | None:
    try:
        require_over(first, page.today)
    except Conflict as error:
        return said(error)
    return None


def _consequences(page: PageRequest, first: date, read: _MonthAndSeller) -> list[str]:
    frozen = sum(one.statements for one in read.month.sold)
    final = gettext(
        "Each buyer's statement of %(month)s gets its number and never changes again: its lines, prices, names, "
        "addresses and taxes are kept as they are now."
    )
    sentences = [
        final % {"month": page.formats.month(first)},
        gettext("What is measured or changed later becomes an adjustment of the buyer's next statement."),
        gettext("You cannot undo this."),
    ]
    if frozen:
        text = ngettext(
            "%(num)s statement is frozen already and stays as it is.",
            "%(num)s statements are frozen already and stay as they are.",
            frozen,
        )
        sentences.append(text % {"num": page.formats.number(frozen)})
    elif page.today < read.freezes_on:
        sentences.append(
            gettext("You need not do it: on %(day)s it happens by itself.") % {"day": page.formats.day(read.freezes_on)}
        )
    sentences.append(gettext("With thousands of buyers it takes a minute or two. If it is interrupted, do it again."))
    return sentences


def _notice(page: PageRequest, done: FreezeResult) -> str:
    count, blocked = len(done.numbers), len(done.blocked)
    text = gettext("Nothing was left to freeze")
    if count:
        text = ngettext("%(num)s statement frozen", "%(num)s statements frozen", count)
        text %= {"num": page.formats.number(count)}
    if blocked:
        more = ngettext("%(num)s buyer is blocked", "%(num)s buyers are blocked", blocked)
        text = f"{text}, {more % {'num': page.formats.number(blocked)}}"
    return text
