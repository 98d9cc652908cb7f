"""Contracts, partners and storage accounts: one case per audited action, or several if its entries differ."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.cast import TB
from tonnage.access.actor import Role
from tonnage.access_keys.access_key import KeyState
from tonnage.access_keys.queries import accept_found, activate_key, insert_key, record_found
from tonnage.accounts import actions as accounts
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange, NewAccount
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment, NewContract
from tonnage.drift.adoption_queries import audit_adoption
from tonnage.drift.resolution_queries import audit_resolution
from tonnage.members import actions as member_actions
from tonnage.members.member import NewMember
from tonnage.partners import actions as partners
from tonnage.partners.partner import NewPartner, PartnerChange
from tonnage.provisioning.key_drift_actions import compare_keys


async def contract_create(data: AuditData) -> Recorded:
    details = NewContract(5 * TB, Decimal("12.50"), "JPY", "Framework")
    whose = data.distributor
    async with data.watched():
        made = await data.run(contracts.create_contract, data.operator, whose.organisation_id, details, NOW)
    after = {"reservedCapacity": 5 * TB, "costStorageGBCents": "12.5", "currency": "JPY", "details": "Framework"}
    return data.entry("contract.create", data.operator, whose, made.id, after=after)


async def contract_amend(data: AuditData) -> Recorded:
    amendment = Amendment(70 * TB, Decimal(90), "Renewed")
    async with data.watched():
        await data.run(contracts.amend_contract, data.operator, data.contract, amendment, NOW)
    before = {"reservedCapacity": 100 * TB, "costStorageGBCents": "100", "currency": "EUR", "details": None}
    after = {"reservedCapacity": 70 * TB, "costStorageGBCents": "90", "currency": "EUR", "details": "Renewed"}
    return data.entry("contract.amend", data.operator, data.distributor, data.contract, before, after)


async def partner_create(data: AuditData) -> Recorded:
    details = NewPartner(data.contract, "Valley", 2 * TB, True)
    async with data.watched():
        made = await data.run(partners.create_partner, data.distributor, details, NOW)
    partner = replace(data.partner, organisation_id=made.id)
    after = {
        "name": "Valley",
        "contractId": str(data.contract),
        "allocatedCapacity": 2 * TB,
        "allowOverdraft": True,
        "revision": 1,
    }
    return data.entry("partner.create", data.distributor, partner, made.id, after=after)


async def partner_update(data: AuditData) -> Recorded:
    partner = await data.cast.partner(data.distributor, data.contract, 3 * TB, name="Old")
    change = PartnerChange("New", 4 * TB, True)
    async with data.watched():
        await data.run(partners.update_partner, data.distributor, partner.organisation_id, change, NOW)
    before = {"name": "Old", "allocatedCapacity": 3 * TB, "allowOverdraft": None}
    after = {"name": "New", "allocatedCapacity": 4 * TB, "allowOverdraft": True, "revision": 2}
    return data.entry("partner.update", data.distributor, partner, partner.organisation_id, before, after)


async def partner_move(data: AuditData) -> Recorded:
    there, partner = await data.cast.contract(data.distributor), data.partner
    async with data.watched():
        await data.run(partners.move_partner, data.distributor, partner.organisation_id, there, NOW)
    before, after = {"contractId": str(data.contract)}, {"contractId": str(there), "revision": 2}
    return data.entry("partner.move", data.distributor, partner, partner.organisation_id, before, after)


async def partner_close(data: AuditData) -> Recorded:
    partner = await data.cast.partner(data.distributor, data.contract, 3 * TB, name="Gone")
    member = NewMember(f"{uuid4().hex}@example.org", Role.VIEWER, "hash")
    made = await data.run(member_actions.create_team_member, partner, member, NOW)
    async with data.watched():
        await data.run(partners.close_partner, data.distributor, partner.organisation_id, NOW)
    before = {
        "name": "Gone",
        "contractId": str(data.contract),
        "allocatedCapacity": 3 * TB,
        "members": [str(made.id)],
    }
    return data.entry("partner.close", data.distributor, partner, partner.organisation_id, before)


async def distributor_close(data: AuditData) -> Recorded:
    distributor = await data.cast.distributor("Gone")
    contract = await data.cast.contract(distributor)
    member = NewMember(f"{uuid4().hex}@example.org", Role.VIEWER, "hash")
    made = await data.run(member_actions.create_team_member, distributor, member, NOW)
    async with data.watched():
        await data.run(partners.close_distributor, data.operator, distributor.organisation_id, NOW)
    before = {"name": "Gone", "contracts": [str(contract)], "members": [str(made.id)]}
    return data.entry("distributor.close", data.operator, distributor, distributor.organisation_id, before)


async def account_create(data: AuditData) -> Recorded:
    details = NewAccount("Bakery", f"{uuid4().hex}@example.org", "hash", TB, True)
    whose = data.partner
    async with data.watched():
        made = await data.run(accounts.create_account, data.partner, whose.organisation_id, details, NOW)
    number = made.id
    after = {"name": "Bakery", "allocatedCapacity": TB, "allowOverdraft": True, "revision": 1}
    return data.entry("account.create", data.partner, whose, number, after=after)


async def account_update(data: AuditData) -> Recorded:
    account, partner = await data.cast.account(data.partner, TB, name="Bakery"), data.partner.organisation_id
    change = AccountChange("Bakers", 2 * TB, True)
    async with data.watched():
        await data.run(change_actions.change_account, data.distributor, partner, account, change, NOW)
    before = {"name": "Bakery", "allocatedCapacity": TB, "allowOverdraft": False}
    after = {"name": "Bakers", "allocatedCapacity": 2 * TB, "allowOverdraft": True, "revision": 2}
    return data.entry("account.update", data.distributor, data.partner, account, before, after)


async def account_set_password(data: AuditData) -> Recorded:
    account, partner = await data.cast.account(data.partner), data.partner.organisation_id
    async with data.watched():
        await data.run(change_actions.set_password, data.partner, partner, account, "hash")
    return data.entry("account.set-password", data.partner, data.partner, account)


async def _suspended(data: AuditData, reason: str) -> int:
    account, partner = await data.cast.account(data.partner), data.partner.organisation_id
    await data.run(change_actions.suspend_account, data.partner, partner, account, reason, NOW)
    return account


async def account_suspend(data: AuditData) -> Recorded:
    account, partner = await data.cast.account(data.partner), data.partner.organisation_id
    async with data.watched():
        await data.run(change_actions.suspend_account, data.distributor, partner, account, "Unpaid", NOW)
    after = {"reason": "Unpaid", "revision": 2}
    return data.entry("account.suspend", data.distributor, data.partner, account, after=after)


async def account_suspend_again(data: AuditData) -> Recorded:
    account, partner = await _suspended(data, "Unpaid"), data.partner.organisation_id
    async with data.watched():
        await data.run(change_actions.suspend_account, data.partner, partner, account, "Abuse", NOW)
    before, after = {"reason": "Unpaid"}, {"reason": "Abuse", "revision": 3}
    return data.entry("account.suspend", data.partner, data.partner, account, before, after)


async def account_resume(data: AuditData) -> Recorded:
    account, partner = await _suspended(data, "Unpaid"), data.partner.organisation_id
    async with data.watched():
        await data.run(change_actions.resume_account, data.partner, partner, account)
    return data.entry("account.resume", data.partner, data.partner, account, {"reason": "Unpaid"}, {"revision": 3})


async def _deleted(data: AuditData) -> int:
    account, partner = await data.cast.account(data.partner, TB, name="Bakery"), data.partner.organisation_id
    await data.run(accounts.delete_account, data.partner, partner, account, 30, NOW)
    return account


def _due(days: int) -> dict[str, object]:
    return {"pendingDeletedAt": f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%S+00:00}"}


async def account_delete(data: AuditData) -> Recorded:
    account, partner = await data.cast.account(data.partner), data.partner.organisation_id
    async with data.watched():
        await data.run(accounts.delete_account, data.distributor, partner, account, 30, NOW)
    return data.entry("account.delete", data.distributor, data.partner, account, after=_due(30) | {"revision": 2})


async def account_delete_on_another_day(data: AuditData) -> Recorded:
    account, partner, due = await _deleted(data), data.partner.organisation_id, NOW + timedelta(days=40)
    async with data.watched():
        await data.run(accounts.set_deletion, data.partner, partner, account, due, 30, NOW)
    return data.entry("account.delete", data.partner, data.partner, account, _due(30), _due(40) | {"revision": 3})


async def account_restore(data: AuditData) -> Recorded:
    account, partner = await _deleted(data), data.partner.organisation_id
    async with data.watched():
        await data.run(accounts.set_deletion, data.partner, partner, account, None, 30, NOW)
    after = {"pendingDeletedAt": None, "revision": 3}
    return data.entry("account.restore", data.partner, data.partner, account, _due(30), after)


async def account_purge(data: AuditData) -> Recorded:
    await data.cast.purge(NOW + timedelta(days=100))  # remaining capacity
    account = await _deleted(data)
    async with data.watched():
        assert await replace(data.cast, operator=data.job).purge(NOW + timedelta(days=30)) == 1
    return data.entry("account.purge", data.job, data.partner, account, {"name": "Bakery", "allocatedCapacity": TB})


async def account_mark_key_lost(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    name = f"LOST{uuid4().hex.upper()}"
    await data.run(insert_key, account, name, None, NOW)
    await data.run(activate_key, account, name, NOW, data.partner.stamp)
    async with data.watched():
        await compare_keys(data.database, data.job, {account: {name: KeyState.ACTIVE}}, {account: []}, repair=True)
    return data.entry("account.mark-key-lost", data.job, data.partner, account, before={"accessKey": name})


async def account_find_key(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    name = f"found-{uuid4().hex}"
    async with data.watched():
        await compare_keys(data.database, data.job, {}, {account: [name]}, repair=True, found_at=NOW)
    return data.entry("account.find-key", data.job, data.partner, account, after={"accessKey": name})


async def account_adopt(data: AuditData) -> Recorded:
    region = await data.cast.region()
    account = await data.cast.account(data.partner, region=region)
    async with data.watched():
        await data.run(audit_adoption, account, 5, 2, 1, data.partner.stamp)
    after = {"region": region, "used": 5, "objects": 2, "accessKeys": 1, "revision": 1}
    return data.entry("account.adopt", data.partner, data.partner, account, after=after)


async def account_accept_key(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    await data.run(record_found, [(account, "by-hand")], NOW, data.partner.stamp)
    async with data.watched():
        await data.run(accept_found, account, "by-hand", data.partner.stamp)
        await data.run(accept_found, account, "by-hand", data.partner.stamp)
    return data.entry("account.accept-key", data.partner, data.partner, account, after={"accessKey": "by-hand"})


async def account_resolve(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    async with data.watched():
        await data.run(audit_resolution, account, "cluster", ["quota"], data.partner.stamp)
    after = {"use": "cluster", "differences": ["quota"]}
    return data.entry("account.resolve", data.partner, data.partner, account, after=after)


CASES: list[Case] = [
    contract_create,
    contract_amend,
    partner_create,
    partner_update,
    partner_move,
    partner_close,
    distributor_close,
    account_create,
    account_update,
    account_set_password,
    account_suspend,
    account_suspend_again,
    account_resume,
    account_delete,
    account_delete_on_another_day,
    account_restore,
    account_purge,
    account_mark_key_lost,
    account_find_key,
    account_adopt,
    account_accept_key,
    account_resolve,
]
