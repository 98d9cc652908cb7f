"""Loads the scene into an empty database, with the regular actions, at times in the past."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tonnage.access.actor import Actor, Kind
from tonnage.accounts import actions as accounts
from tonnage.accounts.account import NewAccount
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import NewContract, price
from tonnage.db import Connection
from tonnage.demo import billing_loading, corrected_month, scene, usage_curve
from tonnage.organisations import actions as organisations
from tonnage.organisations.queries import operator_id
from tonnage.partners import actions as partners
from tonnage.partners.partner import NewPartner
from tonnage.regions import actions as regions
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

_GRACE_DAYS = 30
"""Days between the deletion request and the purge of the account that waits for deletion."""


async def load(conn: Connection, account_password_hash: str, now: datetime) -> None:
    """Loads everything but members and keys, in the caller's transaction.

    The storage accounts share a password that is not stored anywhere: `account_password_hash`.
    """
    operator = Actor.on_command_line(await operator_id(conn), Kind.OPERATOR)
    founded = now - timedelta(days=scene.FOUNDED)
    for region in scene.REGIONS:
        await regions.add_region(conn, operator, region, founded)
    for distributor in scene.DISTRIBUTORS:
        await organisations.create_distributor(conn, operator, distributor.name, founded, distributor_id=distributor.id)
        for contract in distributor.contracts:
            await _sign(conn, operator, distributor, contract, founded)
    opened: dict[int, scene.Customer] = {}
    for distributor, partner, customer in scene.openings():
        account_id = await _open_account(conn, distributor, partner, customer, account_password_hash, now)
        opened[account_id] = customer
    await corrected_month.change_terms(conn, now)
    await record_samples(conn, _samples(opened, now), now)
    await billing_loading.load(conn, opened, founded, now)


async def _sign(
    conn: Connection, operator: Actor, distributor: scene.Distributor, contract: scene.Contract, now: datetime
) -> None:
    terms = NewContract(contract.reserved, price("100"), "EUR", contract.details)
    await contracts.create_contract(conn, operator, distributor.id, terms, now, contract_id=contract.id)
    actor = _acting_for(distributor)
    for partner in contract.partners:
        details = NewPartner(contract.id, partner.name, partner.allocated, partner.overdraft)
        await partners.create_partner(conn, actor, details, now, partner_id=partner.id)


async def _open_account(
    conn: Connection,
    distributor: scene.Distributor,
    partner: scene.Partner,
    customer: scene.Customer,
    password_hash: str,
    now: datetime,
) -> int:
    actor = _acting_for(distributor)
    details = NewAccount(customer.name, customer.contact_email, password_hash, customer.allocated, customer.overdraft)
    opened = usage_curve.opened_at(customer, now)
    account_id = (await accounts.create_account(conn, actor, partner.id, details, opened)).id
    requested = usage_curve.deletion_requested_at(customer, now)
    if requested is not None:
        await accounts.delete_account(conn, actor, partner.id, account_id, _GRACE_DAYS, requested)
    return account_id


def _acting_for(distributor: scene.Distributor) -> Actor:
    return Actor.on_command_line(distributor.id, Kind.DISTRIBUTOR)


def _samples(opened: dict[int, scene.Customer], now: datetime) -> Iterator[Sample]:
    number = 0
    for account_id, customer in opened.items():
        for at, size in usage_curve.samples(customer, now):
            number += 1
            yield Sample(number, account_id, at, size)
