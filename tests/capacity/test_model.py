"""The rules of capacity, driven at random against the model: same outcomes, same totals, in any order."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.capacity.model import GRACE, LARGEST, ContractModel, Model, Outcome
from tests.cast import TB, Cast
from tonnage.access.actor import Actor
from tonnage.accounts import actions as accounts
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment
from tonnage.db import connect
from tonnage.errors import Conflict, Invalid, NotFound
from tonnage.overrides import actions as overrides
from tonnage.overrides.override import NewOverride
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange

pytestmark = pytest.mark.oldest_postgresql

CAPACITY = st.one_of(st.integers(0, 9).map(lambda n: n * TB), st.sampled_from([1, LARGEST, LARGEST - 1, 3 * TB + 1]))
DAYS = st.sampled_from([0, 1, 30, 90, 91])
"""From today, of an override's last day."""
ANY = st.integers(0, 1_000_000)
"""Selects an element of a list of unknown length."""


class Capacity(RuleBasedStateMachine):
    conninfo: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = connect(self.conninfo, size=2, streams=1)
        database = self.runner.run(self.opened.__aenter__())
        self.cast = self.runner.run(Cast.of(database))
        self.model = Model()
        self.contracts: list[UUID] = []
        self.partners: list[Actor] = []
        self.accounts: list[int] = []

    def teardown(self) -> None:
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()

    def ask(self, work: Callable[[Any], Awaitable[Any]]) -> Outcome:
        try:
            self.runner.run(self.cast.database.run(work))  # pyright: ignore[reportArgumentType]  a coroutine
        except Conflict:
            return "conflict"
        except NotFound:
            return "not found"
        except Invalid:
            return "invalid"
        return "done"

    @initialize()
    def a_distributor(self) -> None:
        self.distributor = self.runner.run(self.cast.distributor())

    @precondition(lambda self: len(self.contracts) < 3)
    @rule(reserved=CAPACITY, currency=st.sampled_from(["EUR", "EUR", "GBP"]))
    def sign(self, reserved: int, currency: str) -> None:
        self.contracts.append(self.runner.run(self.cast.contract(self.distributor, reserved, currency=currency)))
        self.model.contracts.append(ContractModel(reserved, currency))

    @precondition(lambda self: self.contracts)
    @rule(which=ANY, reserved=CAPACITY)
    def amend(self, which: int, reserved: int) -> None:
        contract = which % len(self.contracts)
        amendment = Amendment(reserved_capacity=reserved)
        assert self.model.amend(contract, reserved) == self.ask(
            lambda conn: contracts.amend_contract(
                conn, self.cast.operator, self.contracts[contract], amendment, self.cast.now
            )
        )

    @precondition(lambda self: self.contracts and len(self.partners) < 6)
    @rule(which=ANY, allocated=CAPACITY, overdraft=st.sampled_from([None, False, True]))
    def create_partner(self, which: int, allocated: int, overdraft: bool | None) -> None:
        contract = which % len(self.contracts)
        expected = self.model.create_partner(contract, allocated, overdraft or False)
        made: list[Actor] = []

        async def create(_: object) -> None:
            made.append(
                await self.cast.partner(self.distributor, self.contracts[contract], allocated, overdraft=overdraft)
            )

        assert expected == self.ask(create)
        self.partners += made

    @precondition(lambda self: self.partners)
    @rule(which=ANY, allocated=st.none() | CAPACITY, overdraft=st.sampled_from([None, None, False, True]))
    def change_partner(self, which: int, allocated: int | None, overdraft: bool | None) -> None:
        partner = which % len(self.partners)
        change = PartnerChange(allocated_capacity=allocated, allow_overdraft=overdraft)
        assert self.model.change_partner(partner, allocated, overdraft) == self.ask(
            lambda conn: partners.update_partner(
                conn, self.distributor, self.partners[partner].organisation_id, change, self.cast.now
            )
        )

    @precondition(lambda self: self.partners)
    @rule(which=ANY, to=ANY)
    def move(self, which: int, to: int) -> None:
        partner, contract = which % len(self.partners), to % len(self.contracts)
        assert self.model.move(partner, contract) == self.ask(
            lambda conn: partners.move_partner(
                conn,
                self.distributor,
                self.partners[partner].organisation_id,
                self.contracts[contract],
                self.cast.now,
            )
        )

    @precondition(lambda self: self.partners)
    @rule(which=ANY)
    def close(self, which: int) -> None:
        partner = which % len(self.partners)
        assert self.model.close(partner) == self.ask(
            lambda conn: partners.close_partner(
                conn, self.distributor, self.partners[partner].organisation_id, self.cast.now
            )
        )

    @precondition(lambda self: self.partners and len(self.accounts) < 10)
    @rule(which=ANY, allocated=CAPACITY)
    def create_account(self, which: int, allocated: int) -> None:
        partner = which % len(self.partners)
        expected = self.model.create_account(partner, allocated)
        made: list[int] = []

        async def create(_: object) -> None:
            made.append(await self.cast.account(self.partners[partner], allocated))

        assert expected == self.ask(create)
        self.accounts += made

    @precondition(lambda self: self.accounts)
    @rule(which=ANY, allocated=st.none() | CAPACITY, overdraft=st.sampled_from([None, None, False, True]))
    def change_account(self, which: int, allocated: int | None, overdraft: bool | None) -> None:
        account = which % len(self.accounts)
        partner = self.partners[self.model.accounts[account].partner]
        change = AccountChange(allocated_capacity=allocated, allow_overdraft=overdraft)
        assert self.model.change_account(account, allocated, overdraft) == self.ask(
            lambda conn: change_actions.change_account(
                conn, partner, partner.organisation_id, self.accounts[account], change, self.cast.now
            )
        )

    @precondition(lambda self: self.accounts)
    @rule(which=ANY)
    def delete_account(self, which: int) -> None:
        account = which % len(self.accounts)
        partner = self.partners[self.model.accounts[account].partner]
        assert self.model.delete(account, self.cast.now) == self.ask(
            lambda conn: accounts.delete_account(
                conn, partner, partner.organisation_id, self.accounts[account], GRACE.days, self.cast.now
            )
        )

    @precondition(lambda self: self.accounts)
    @rule(which=ANY, days=st.none() | st.sampled_from([0, 29, 30, 31, 60]))
    def reschedule(self, which: int, days: int | None) -> None:
        account = which % len(self.accounts)
        partner = self.partners[self.model.accounts[account].partner]
        due = None if days is None else self.cast.now + timedelta(days=days)
        assert self.model.reschedule(account, due, self.cast.now) == self.ask(
            lambda conn: accounts.set_deletion(
                conn, partner, partner.organisation_id, self.accounts[account], due, GRACE.days, self.cast.now
            )
        )

    @precondition(lambda self: self.accounts)
    @rule(which=ANY, capacity=CAPACITY, days=DAYS)
    def grant_to_account(self, which: int, capacity: int, days: int) -> None:
        account = which % len(self.accounts)
        partner = self.partners[self.model.accounts[account].partner]
        override = NewOverride(capacity, self.cast.now.date() + timedelta(days=days), "A test")
        assert self.model.grant_to_account(account, capacity, days, self.cast.now) == self.ask(
            lambda conn: overrides.grant_to_account(
                conn, partner, partner.organisation_id, self.accounts[account], override, self.cast.now
            )
        )

    @precondition(lambda self: self.partners)
    @rule(which=ANY, capacity=CAPACITY, days=DAYS)
    def grant_to_partner(self, which: int, capacity: int, days: int) -> None:
        partner = which % len(self.partners)
        override = NewOverride(capacity, self.cast.now.date() + timedelta(days=days), "A test")
        assert self.model.grant_to_partner(partner, capacity, days, self.cast.now) == self.ask(
            lambda conn: overrides.grant_to_partner(
                conn, self.distributor, self.partners[partner].organisation_id, override, self.cast.now
            )
        )

    @precondition(lambda self: self.accounts)
    @rule(which=ANY)
    def end_override_of_account(self, which: int) -> None:
        account = which % len(self.accounts)
        partner = self.partners[self.model.accounts[account].partner]
        assert self.model.end_of_account(account) == self.ask(
            lambda conn: overrides.end_of_account(
                conn, partner, partner.organisation_id, self.accounts[account], self.cast.now
            )
        )

    @precondition(lambda self: self.partners)
    @rule(which=ANY)
    def end_override_of_partner(self, which: int) -> None:
        partner = which % len(self.partners)
        assert self.model.end_of_partner(partner) == self.ask(
            lambda conn: overrides.end_of_partner(
                conn, self.distributor, self.partners[partner].organisation_id, self.cast.now
            )
        )

    @rule(days=st.sampled_from([1, 29, 31]))
    def time_passes(self, days: int) -> None:
        self.cast.now += timedelta(days=days)
        self.runner.run(overrides.end_due(self.cast.database, self.cast.now))
        self.model.end_due(self.cast.now)
        self.runner.run(self.cast.purge(self.cast.now))
        self.model.purge(self.cast.now)

    @invariant()
    def the_database_agrees(self) -> None:
        stored = self.runner.run(self.cast.row(STORED, *[self.distributor.organisation_id] * 3))
        contracts = [
            [k.reserved, self.model.allocated(number), k.terms] for number, k in enumerate(self.model.contracts)
        ]
        partners = [
            [
                str(self.contracts[p.contract]),
                p.allocated,
                p.overdraft,
                self.model.allocated_to_accounts(number),
                self.model.added(number),
                p.override,
                len(self.model.open_accounts(number)),
                p.closed,
                p.terms,
            ]
            for number, p in enumerate(self.model.partners)
        ]
        accounts = [
            [number, a.allocated, a.override, a.overdraft, a.terms]
            for number, a in zip(self.accounts, self.model.accounts, strict=True)
        ]
        assert [json.loads(document) for document in stored] == [contracts, partners, accounts]


STORED = """
    select (
        select coalesce(json_agg(json_build_array(k.reserved_capacity, k.allocated_capacity,
            (select count(*) from contract_terms t where t.contract_id = k.id)) order by k.seq), '[]')
        from contract k where k.distributor_id = %s
    ), (
        select coalesce(json_agg(json_build_array(
            p.contract_id, p.allocated_capacity, coalesce(p.allow_overdraft, false),
            p.allocated_to_accounts, p.overrides_of_accounts, p.override_capacity, p.account_count,
            p.closed_at is not null,
            (select count(*) from partner_terms t where t.partner_id = p.id)) order by p.seq), '[]')
        from partner p where p.distributor_id = %s
    ), (
        select coalesce(json_agg(json_build_array(s.id, s.allocated_capacity, s.override_capacity, s.allow_overdraft,
            (select count(*) from account_terms t where t.account_id = s.id)) order by s.seq), '[]')
        from storage_account s join partner p on p.id = s.partner_id where p.distributor_id = %s
    )"""


def test_the_rules_of_capacity_hold_in_any_order(conninfo: str) -> None:
    async def a_region() -> None:
        async with connect(conninfo) as database:
            await (await Cast.of(database)).region()

    asyncio.run(a_region())
    Capacity.conninfo = conninfo
    run_state_machine_as_test(
        Capacity,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_the_model_refuses_and_admits() -> None:
    """The machine would also agree with a model that refuses everything; this one does not."""
    model = Model([ContractModel(10, "EUR")])
    assert [model.create_partner(0, 6, overdraft=False), model.create_partner(0, 6, overdraft=False)] == [
        "done",
        "conflict",
    ]
    assert json.dumps([model.create_account(0, 7), model.create_account(0, 5)]) == '["conflict", "done"]'
    assert json.dumps([model.change_account(0, 7, None), model.change_account(0, 6, None)]) == '["conflict", "done"]'
