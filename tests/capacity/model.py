"""The rules of capacity in their simplest form. Shares no code with the product."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Outcome = Literal["done", "conflict", "not found", "invalid"]

LARGEST = 2**63 - 1
GRACE = timedelta(days=30)


@dataclass
class AccountModel:
    partner: int
    allocated: int
    overdraft: bool = False
    terms: int = 1
    asked: datetime | None = None
    due: datetime | None = None
    gone: bool = False


@dataclass
class PartnerModel:
    contract: int
    allocated: int
    overdraft: bool
    closed: bool = False
    terms: int = 1


@dataclass
class ContractModel:
    reserved: int
    currency: str
    terms: int = 1


@dataclass
class Model:
    """One distributor's contracts, partners and accounts, numbered in order of creation."""

    contracts: list[ContractModel] = field(default_factory=list[ContractModel])
    partners: list[PartnerModel] = field(default_factory=list[PartnerModel])
    accounts: list[AccountModel] = field(default_factory=list[AccountModel])

    def allocated(self, contract: int) -> int:
        return sum(p.allocated for p in self.partners if p.contract == contract and not p.closed)

    def open_accounts(self, partner: int) -> list[AccountModel]:
        return [a for a in self.accounts if a.partner == partner and not a.gone]

    def allocated_to_accounts(self, partner: int) -> int:
        return sum(a.allocated for a in self.open_accounts(partner))

    def amend(self, contract: int, reserved: int) -> Outcome:
        if reserved < self.allocated(contract):
            return "conflict"
        self.contracts[contract].terms += reserved != self.contracts[contract].reserved
        self.contracts[contract].reserved = reserved
        return "done"

    def create_partner(self, contract: int, allocated: int, overdraft: bool) -> Outcome:
        if self.allocated(contract) + allocated > self.contracts[contract].reserved:
            return "conflict"
        self.partners.append(PartnerModel(contract, allocated, overdraft))
        return "done"

    def change_partner(self, number: int, allocated: int | None, overdraft: bool | None) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        new = partner.allocated if allocated is None else allocated
        lenient = partner.overdraft if overdraft is None else overdraft
        others = self.allocated(partner.contract) - partner.allocated
        if others + new > self.contracts[partner.contract].reserved:
            return "conflict"
        if new != 0 and not lenient and new < self.allocated_to_accounts(number):
            return "conflict"
        partner.terms += (new, lenient) != (partner.allocated, partner.overdraft)
        partner.allocated, partner.overdraft = new, lenient
        return "done"

    def move(self, number: int, contract: int) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        if contract == partner.contract:
            return "done"
        if self.contracts[contract].currency != self.contracts[partner.contract].currency:
            return "conflict"
        if self.allocated(contract) + partner.allocated > self.contracts[contract].reserved:
            return "conflict"
        partner.contract = contract
        partner.terms += 1
        return "done"

    def close(self, number: int) -> Outcome:
        if self.partners[number].closed:
            return "not found"
        if self.open_accounts(number):
            return "conflict"
        self.partners[number].closed = True
        return "done"

    def create_account(self, number: int, allocated: int) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        total = self.allocated_to_accounts(number) + allocated
        if total > LARGEST:
            return "conflict"
        if partner.allocated != 0 and not partner.overdraft and total > partner.allocated:
            return "conflict"
        self.accounts.append(AccountModel(number, allocated))
        return "done"

    def change_account(self, number: int, allocated: int | None, overdraft: bool | None) -> Outcome:
        account = self.accounts[number]
        if account.gone:
            return "not found"
        partner = self.partners[account.partner]
        new = account.allocated if allocated is None else allocated
        total = self.allocated_to_accounts(account.partner) - account.allocated + new
        if total > LARGEST:
            return "conflict"
        if partner.allocated != 0 and not partner.overdraft and total > partner.allocated:
            return "conflict"
        lenient = account.overdraft if overdraft is None else overdraft
        account.terms += (new, lenient) != (account.allocated, account.overdraft)
        account.allocated, account.overdraft = new, lenient
        return "done"

    def delete(self, number: int, now: datetime) -> Outcome:
        account = self.accounts[number]
        if account.gone:
            return "not found"
        if account.due is None:
            account.asked, account.due = now, now + GRACE
        return "done"

    def reschedule(self, number: int, due: datetime | None, now: datetime) -> Outcome:
        account = self.accounts[number]
        if account.gone:
            return "not found"
        if due is None:
            account.asked = account.due = None
            return "done"
        if due != account.due:
            if due < (account.asked or now) + GRACE:
                return "invalid"
            account.asked, account.due = account.asked or now, due
        return "done"

    def purge(self, now: datetime) -> None:
        for account in self.accounts:
            if account.due is not None and account.due <= now:
                account.gone = True
