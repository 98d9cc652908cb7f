"""On which days prices may begin, and who may assign them to whom."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.cast import Cast, with_role
from tests.usage.steps import PartnerData, at, partner_data
from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.error_codes import Code, ConflictCode, RequestCode
from tonnage.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TonnageError
from tonnage.price_books import actions, version_queries
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version_body import VersionReqBody

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

NOW = at("2026-03-10", "12:00:00")
TIERS = {"on": "reserved", "mode": "volume", "bands": [{"upToGb": 100, "price": "2"}, {"price": "1"}]}


@pytest.fixture
async def data(cast: Cast) -> PartnerData:
    return await partner_data(cast)


async def book(cast: Cast, seller: Actor, currency: str = "EUR", *, default: bool = False) -> UUID:
    made = await cast.database.run(actions.create_book, seller, NewPriceBook("Prices", currency, default), NOW)
    return made.id


async def publish(cast: Cast, seller: Actor, of: UUID, since: str, correct: bool = False, **more: Any) -> None:
    version = VersionReqBody.model_validate({"validFrom": since, "reserved": "1", **more}).new_version()
    number, _ = await cast.database.run(actions.add_version, seller, of, version, NOW)
    await cast.database.transaction(actions.publish, seller, of, number, NOW, correct=correct)


async def assign(
    cast: Cast, seller: Actor, subject: Subject, of: UUID | None, since: str, correct: bool = False
) -> None:
    assignment = NewAssignment(of, date.fromisoformat(since))
    await cast.database.transaction(actions.assign, seller, subject, assignment, NOW, correct=correct)


def partner(data: PartnerData) -> Subject:
    return Subject(SubjectKind.PARTNER, data.partner.organisation_id)


def contract(data: PartnerData) -> Subject:
    return Subject(SubjectKind.CONTRACT, data.contract)


async def refused(work: Any, code: Code) -> TonnageError:
    with pytest.raises((Conflict, Invalid)) as caught:
        await work
    assert caught.value.code is code, caught.value
    return caught.value


async def test_prices_begin_today_or_later_unless_they_correct(cast: Cast, data: PartnerData) -> None:
    made = await book(cast, data.distributor)
    error = await refused(publish(cast, data.distributor, made, "2026-03-09"), RequestCode.BACKDATED)
    assert str(error) == (
        "validFrom is in the past; today is 2026-03-10. To change what past days cost, repeat it as a correction."
    )
    await publish(cast, data.distributor, made, "2026-03-10")
    await publish(cast, data.distributor, made, "2026-03-09", correct=True)
    await refused(assign(cast, data.distributor, partner(data), made, "2026-03-09"), RequestCode.BACKDATED)
    await assign(cast, data.distributor, partner(data), made, "2026-03-10")
    await assign(cast, data.distributor, partner(data), made, "2026-03-09", correct=True)


@pytest.mark.parametrize(
    ("before", "after", "day"),
    [
        ({}, {"tiers": TIERS}, "2026-03-16"),
        ({"tiers": TIERS}, {}, "2026-04-16"),
        ({"tiers": TIERS}, {"tiers": TIERS}, "2026-04-02"),
    ],
)
async def test_prices_by_quantity_begin_and_end_with_a_month(
    cast: Cast, data: PartnerData, before: dict[str, Any], after: dict[str, Any], day: str
) -> None:
    made = await book(cast, data.distributor)
    await publish(cast, data.distributor, made, "2026-04-01", **before)
    error = await refused(publish(cast, data.distributor, made, day, **after), RequestCode.WITHIN_MONTH)
    assert f"on {day}; that is possible on the first of a month" in str(error)
    await publish(cast, data.distributor, made, "2026-05-01", **after)


async def test_prices_by_quantity_are_not_put_before_a_change_within_a_month(cast: Cast, data: PartnerData) -> None:
    made = await book(cast, data.distributor)
    await publish(cast, data.distributor, made, "2026-04-16")
    await refused(publish(cast, data.distributor, made, "2026-04-01", tiers=TIERS), RequestCode.WITHIN_MONTH)


@pytest.mark.parametrize("first", ["plain", "tiered", None])
async def test_a_book_with_prices_by_quantity_is_assigned_with_a_month(
    cast: Cast, data: PartnerData, first: str | None
) -> None:
    books = {"plain": await book(cast, data.distributor), "tiered": await book(cast, data.distributor), None: None}
    await publish(cast, data.distributor, books["plain"] or UUID(int=0), "2026-03-10")
    await publish(cast, data.distributor, books["tiered"] or UUID(int=0), "2026-04-01", tiers=TIERS)
    await assign(cast, data.distributor, partner(data), books[first], "2026-04-01")
    for second in {"tiered"} if first != "tiered" else {"plain", None}:
        late = assign(cast, data.distributor, partner(data), books[second], "2026-04-02")
        await refused(late, RequestCode.WITHIN_MONTH)
        await assign(cast, data.distributor, partner(data), books[second], "2026-05-01")


async def test_a_published_book_gets_no_tiers_before_an_assignment_within_a_month(
    cast: Cast, data: PartnerData
) -> None:
    made = await book(cast, data.distributor)
    await assign(cast, data.distributor, partner(data), made, "2026-04-16")
    await refused(publish(cast, data.distributor, made, "2026-04-01", tiers=TIERS), RequestCode.WITHIN_MONTH)
    await publish(cast, data.distributor, made, "2026-05-01", tiers=TIERS)


async def test_another_currency_begins_with_a_month(cast: Cast, data: PartnerData) -> None:
    euros = await book(cast, data.distributor, default=True)
    dollars = await book(cast, data.distributor, "USD")
    for subject in (partner(data), contract(data)):
        late = assign(cast, data.distributor, subject, dollars, "2026-03-16")
        error = await refused(late, RequestCode.WITHIN_MONTH)
        assert "from EUR to USD on 2026-03-16" in str(error)
    await assign(cast, data.distributor, contract(data), dollars, "2026-04-01")
    # The partner's own book comes before that of its contract, also where it ends.
    await refused(assign(cast, data.distributor, partner(data), euros, "2026-04-16"), RequestCode.WITHIN_MONTH)
    await assign(cast, data.distributor, partner(data), euros, "2026-05-01")
    await refused(assign(cast, data.distributor, partner(data), None, "2026-05-16"), RequestCode.WITHIN_MONTH)


async def test_the_operators_book_has_the_currency_of_the_contract(cast: Cast, data: PartnerData) -> None:
    dollars = await book(cast, cast.operator, "USD")
    await refused(assign(cast, cast.operator, contract(data), dollars, "2026-04-01"), ConflictCode.OTHER_CURRENCY)
    await assign(cast, cast.operator, contract(data), await book(cast, cast.operator), "2026-03-16")


async def test_books_are_assigned_to_what_is_ones_own(cast: Cast, data: PartnerData) -> None:
    stranger = await partner_data(cast)
    account = Subject(SubjectKind.ACCOUNT, await cast.account(data.partner))
    allowed = {
        (cast.operator, contract(data)),
        (data.distributor, contract(data)),
        (data.distributor, partner(data)),
        (data.partner, partner(data)),
        (data.partner, account),
    }
    for seller in (cast.operator, data.distributor, data.partner, stranger.distributor, stranger.partner):
        made = await book(cast, seller)
        for subject in (contract(data), partner(data), account):
            if (seller, subject) in allowed:
                await assign(cast, seller, subject, made, "2026-04-01")
            else:
                with pytest.raises(NotFound):
                    await assign(cast, seller, subject, made, "2026-04-01")
    with pytest.raises(NotFound, match="There is no price book"):
        await assign(cast, data.distributor, partner(data), await book(cast, stranger.distributor), "2026-04-01")


async def test_a_seller_has_one_default_book(cast: Cast, data: PartnerData) -> None:
    await book(cast, data.distributor, default=True)
    await refused(book(cast, data.distributor, default=True), ConflictCode.DEFAULT_PRICE_BOOK)
    await book(cast, data.partner, default=True)


async def test_a_published_version_never_changes(cast: Cast, data: PartnerData) -> None:
    made = await book(cast, data.distributor)
    await publish(cast, data.distributor, made, "2026-03-10")
    version = VersionReqBody.model_validate({"validFrom": "2026-03-11"}).new_version()
    run, seller = cast.database.run, data.distributor
    await refused(run(actions.replace_draft, seller, made, 1, version), ConflictCode.VERSION_PUBLISHED)
    await refused(run(actions.delete_draft, seller, made, 1), ConflictCode.VERSION_PUBLISHED)
    await refused(cast.database.transaction(actions.publish, seller, made, 1, NOW), ConflictCode.VERSION_PUBLISHED)
    for statement in (
        "update price_version set reserved = 2 where book_id = %s",
        "delete from price_version where book_id = %s",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="is published"):
            await cast.row(statement, made)


async def test_a_draft_is_published_as_it_was_checked(cast: Cast, data: PartnerData) -> None:
    """While a draft is published, another request cannot give it a day of the past."""
    made = await book(cast, data.distributor)
    version = VersionReqBody.model_validate({"validFrom": "2026-03-20"}).new_version()
    await cast.database.run(actions.add_version, data.distributor, made, version, NOW)
    past = VersionReqBody.model_validate({"validFrom": "2026-01-01"}).new_version()
    checked = asyncio.Event()

    async def publishing(conn: Connection) -> None:
        await version_queries.lock_draft(conn, data.distributor.organisation_id, made, 1, None)
        checked.set()
        await actions.publish(conn, data.distributor, made, 1, NOW)

    async def replacing() -> None:
        await checked.wait()
        await cast.database.run(actions.replace_draft, data.distributor, made, 1, past)

    results = await asyncio.gather(cast.database.transaction(publishing), replacing(), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Conflict]
    (since,) = await cast.row("select valid_from from price_version where book_id = %s", made)
    assert since == date(2026, 3, 20)


async def test_two_assignments_at_once_do_not_make_two_currencies(cast: Cast, data: PartnerData) -> None:
    euros, dollars = await book(cast, data.distributor), await book(cast, data.distributor, "USD")
    results = await asyncio.gather(
        assign(cast, data.distributor, partner(data), euros, "2026-03-12"),
        assign(cast, data.distributor, partner(data), dollars, "2026-03-20"),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Invalid", "NoneType"]


async def test_drafts_get_numbers_of_their_own_at_once(cast: Cast, data: PartnerData) -> None:
    made = await book(cast, data.distributor)
    version = VersionReqBody.model_validate({"validFrom": "2026-03-20"}).new_version()
    added = [cast.database.run(actions.add_version, data.distributor, made, version, NOW) for _ in range(5)]
    assert sorted([number for number, _ in await asyncio.gather(*added)]) == [1, 2, 3, 4, 5]


async def test_a_stale_revision_publishes_nothing(cast: Cast, data: PartnerData) -> None:
    made = await book(cast, data.distributor)
    version = VersionReqBody.model_validate({"validFrom": "2026-03-20"}).new_version()
    await cast.database.run(actions.add_version, data.distributor, made, version, NOW)
    with pytest.raises(PreconditionFailed):
        await cast.database.transaction(actions.publish, data.distributor, made, 1, NOW, revision=2)


async def test_only_admins_change_prices(cast: Cast, data: PartnerData) -> None:
    for role in (Role.STAFF, Role.VIEWER):
        with pytest.raises(Forbidden):
            await book(cast, with_role(data.distributor, role))


async def test_a_closed_seller_sells_nothing(cast: Cast, data: PartnerData) -> None:
    await cast.row(
        "update organisation set closed_at = %s where id = %s returning 1", NOW, data.partner.organisation_id
    )
    with pytest.raises(NotFound):
        await book(cast, data.partner)


async def test_a_default_book_in_another_currency_does_not_apply_to_a_contract(cast: Cast, data: PartnerData) -> None:
    """So the first book that does may begin on any day."""
    # The operator is that of other tests, whose contracts are in EUR.
    await book(cast, cast.operator, "KWD", default=True)
    await assign(cast, cast.operator, contract(data), await book(cast, cast.operator), "2026-03-16")
