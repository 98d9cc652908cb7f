"""Every list of the console: how to read a page of it, and how to add and remove a row."""

import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import tonnage
from tests.authentication.members import IDLE, person
from tests.cast import NOW, TB, Cast
from tests.usage.steps import purge
from tonnage.access.actor import Role
from tonnage.accounts.lists import ACCOUNTS, OWN_ACCOUNTS, account_rows
from tonnage.billing.month_net import PricedSeller
from tonnage.blocks.actions import lift_block
from tonnage.blocks.lists import BLOCKS, block_rows
from tonnage.contracts.actions import amend_contract
from tonnage.contracts.contract import Amendment
from tonnage.contracts.lists import TERMS, contract_terms
from tonnage.jobs.lists import JOBS, job_rows
from tonnage.lists import ListSpec, ListState, PageOf
from tonnage.members import actions as members
from tonnage.members.lists import MEMBERS, member_rows
from tonnage.members.member import NewMember
from tonnage.partners import actions as partners
from tonnage.partners.contract_lists import CONTRACTS, contract_rows
from tonnage.partners.distributor_lists import DISTRIBUTORS, distributor_rows
from tonnage.partners.lists import OWN_PARTNERS, PARTNERS, partner_rows
from tonnage.partners.partner import PartnerChange
from tonnage.partners.terms_lists import PARTNER_TERMS, partner_terms
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_previews.lists import PREVIEWS, ruled_buyers
from tonnage.sessions.actions import end_session
from tonnage.sessions.lists import SESSIONS, session_rows


@dataclass(frozen=True)
class ListCase:
    """A list, restricted to the rows of its test."""

    query: dict[str, str]
    """What restricts it."""
    read: Callable[[ListState], Awaitable[PageOf[Any]]]
    add: Callable[[], Awaitable[object]]
    remove: Callable[[Any], Awaitable[object]] | None
    """By its id; None: such rows are never deleted."""


NAMES = ("Åse", "ase", "Ase", "Ärger straße", 'O\'Neil "Sons"', "\x01 🚢", "zoë")
"""Names with equal keys, and some that must be escaped."""


async def _partners(cast: Cast, query: dict[str, str]) -> ListCase:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    names = _names()
    return ListCase(
        query,
        lambda state: cast.database.run(partner_rows, distributor.organisation_id, None, state, NOW.date()),
        lambda: cast.partner(distributor, contract, 5, name=names()),
        lambda partner: cast.database.run(partners.close_partner, distributor, partner, cast.now),
    )


async def partners_case(cast: Cast) -> ListCase:
    return await _partners(cast, {})


async def searched_partners_case(cast: Cast) -> ListCase:
    return await _partners(cast, {"q": "e"})


async def accounts_case(cast: Cast) -> ListCase:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    own, names = partner.organisation_id, _names()
    return ListCase(
        {},
        lambda state: cast.database.run(account_rows, own, own, state, NOW.date()),
        lambda: cast.account(partner, name=names()),
        lambda account: purge(cast, partner, account, cast.now),
    )


async def contracts_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    names = _names()
    return ListCase(
        {},
        lambda state: cast.database.run(contract_rows, distributor.organisation_id, state, NOW.date()),
        lambda: cast.contract(distributor, details=names()),
        None,
    )


async def contract_terms_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    contract, size = await cast.contract(distributor), iter(range(100 * TB + 1, 1000 * TB))

    async def add() -> None:
        """Some of the same moment."""
        number = next(size)
        moment = cast.now + timedelta(minutes=(number - 100 * TB) // 3)
        await cast.database.run(amend_contract, cast.operator, contract, Amendment(number), moment)

    return ListCase(
        {},
        lambda state: cast.database.run(contract_terms, distributor.organisation_id, contract, state),
        add,
        None,
    )


async def partner_terms_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    partner = (await cast.partner(distributor, await cast.contract(distributor))).organisation_id
    size = iter(range(1, 1000))

    async def add() -> None:
        number = next(size)
        change, moment = PartnerChange(None, number, None), cast.now + timedelta(minutes=number // 3)
        await cast.database.run(partners.update_partner, distributor, partner, change, moment)

    return ListCase(
        {},
        lambda state: cast.database.run(partner_terms, distributor.organisation_id, partner, state),
        add,
        None,
    )


async def distributors_case(cast: Cast) -> ListCase:
    word, names = uuid4().hex, _names()
    return ListCase(
        {"q": word},
        lambda state: cast.database.run(distributor_rows, state, NOW.date()),
        lambda: cast.distributor(f"{names()} {word}"),
        lambda distributor: cast.database.run(partners.close_distributor, cast.operator, distributor, cast.now),
    )


async def members_case(cast: Cast) -> ListCase:
    word, names = uuid4().hex, _names()
    distributor = await cast.distributor(word)
    own = distributor.organisation_id

    async def add() -> None:
        name = names()
        new = NewMember(f"{uuid4().hex}@example.org", Role.STAFF, "hash", None if name == "zoë" else name)
        await cast.database.run(members.create_member, distributor, own, new, cast.now)

    async def remove(member: UUID) -> None:
        await cast.database.run(members.delete_member, distributor, own, member)

    return ListCase({"q": word}, lambda state: cast.database.run(member_rows, state), add, remove)


async def blocks_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    ann = await person(cast, distributor)
    number = iter(range(1000))

    async def add() -> None:
        """The first ones have the same beginning, end and number of failures; some are of the other table."""
        one = next(number)
        block = """
            insert into sign_in_throttle (subject, failures, last_failed_at, blocked_until, kind, member_id)
            values (%s, %s, %s, %s, 'codes', %s) returning id"""
        exhausted = """
            insert into sign_in_failures (subject, failures, last_failed_at, hour, member_id)
            values (%s, %s, %s, %s, %s) returning id"""
        hour = NOW.replace(minute=0)
        query, end = (exhausted, hour) if one % 3 == 2 else (block, hour + timedelta(hours=1))
        await cast.row(query, uuid4().bytes, 100 + one // 5, NOW - timedelta(minutes=one // 5), end, ann.id)

    return ListCase(
        {},
        lambda state: cast.database.run(block_rows, distributor.scope, NOW, state),
        add,
        lambda block: cast.database.run(lift_block, distributor, block, NOW),
    )


async def sessions_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    own, members = distributor.organisation_id, [await person(cast, distributor, name=name) for name in NAMES[:3]]
    number = iter(range(1000))

    async def add() -> None:
        one = next(number)
        insert = """
            insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
            values (%s, %s, 'open', %s, %s, '192.0.2.1', 'test') returning id"""
        begun = NOW - timedelta(minutes=one % 4)
        await cast.row(insert, members[one % 3].id, uuid4().bytes, begun, begun)

    return ListCase(
        {},
        lambda state: cast.database.run(session_rows, own, NOW, IDLE, state),
        add,
        lambda session: cast.database.run(end_session, distributor, own, session),
    )


async def previews_case(cast: Cast) -> ListCase:
    distributor = await cast.distributor()
    contract, book, names = await cast.contract(distributor), await cast.price_book(distributor), _names()
    assigned = NewAssignment(book, NOW.date())
    await cast.database.transaction(
        price_books.assign, distributor, Subject(SubjectKind.CONTRACT, contract), assigned, cast.now
    )
    seller = PricedSeller(0, distributor.organisation_id, SubjectKind.PARTNER)
    return ListCase(
        {},
        lambda state: cast.database.run(ruled_buyers, seller, book, NOW.date(), state),
        lambda: cast.partner(distributor, contract, name=names()),
        lambda partner: cast.database.run(partners.close_partner, distributor, partner, cast.now),
    )


async def jobs_case(cast: Cast) -> ListCase:
    return ListCase(
        {"show": "cancelled"},
        lambda state: cast.database.run(job_rows, state),
        lambda: cast.row(
            "insert into procrastinate_jobs (task_name, queue_name, args, status)"
            " values ('tests.none', 'tests', '{}', 'cancelled') returning id"
        ),
        lambda job: cast.row("delete from procrastinate_jobs where id = %s returning id", job),
    )


CASES: list[tuple[ListSpec, Callable[[Cast], Awaitable[ListCase]]]] = [
    (PARTNERS, partners_case),
    (PARTNERS, searched_partners_case),
    (OWN_PARTNERS, partners_case),
    (ACCOUNTS, accounts_case),
    (OWN_ACCOUNTS, accounts_case),
    (CONTRACTS, contracts_case),
    (TERMS, contract_terms_case),
    (PARTNER_TERMS, partner_terms_case),
    (DISTRIBUTORS, distributors_case),
    (MEMBERS, members_case),
    (BLOCKS, blocks_case),
    (SESSIONS, sessions_case),
    (PREVIEWS, previews_case),
    (JOBS, jobs_case),
]


def declared_lists() -> dict[str, ListSpec]:
    """Every list that a module declares, but for variants with the same sorts, by where it stands."""
    found: dict[str, ListSpec] = {}
    for module in pkgutil.walk_packages(tonnage.__path__, "tonnage."):
        if not module.name.endswith("__main__") and not module.name.startswith("tonnage.migrations"):
            for name, value in vars(import_module(module.name)).items():
                if isinstance(value, ListSpec):
                    found[f"{module.name}.{name}"] = value
    return found


def _names() -> Callable[[], str]:
    made = iter(NAMES * 100)
    return lambda: next(made)
