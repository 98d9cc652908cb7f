"""The rules of capacity in their simplest form. Shares no code with the product."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Outcome = Literal["done", "conflict", "not found", "invalid"]

LARGEST = 2**63 - 1
GRACE = timedelta(days=30)


@dataclass
class Overridden:
    """What an override can raise."""

    allocated: int
    override: int | None = field(default=None, kw_only=True)
    until: datetime | None = field(default=None, kw_only=True)

    @property
    def effective(self) -> int:
        return max(self.allocated, self.override or 0) if self.allocated else 0

    @property
    def added(self) -> int:
        return self.effective - self.allocated

    def end(self) -> None:
        self.override = self.until = None


@dataclass
class AccountModel(Overridden):
    partner: int
    overdraft: bool = False
    terms: int = 1
    asked: datetime | None = None
    due: datetime | None = None
    gone: bool = False


@dataclass
class PartnerModel(Overridden):
    contract: int
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
        return sum(p.effective for p in self.partners if p.contract == contract and not p.closed)

    def open_accounts(self, partner: int) -> list[AccountModel]:
        return [a for a in self.accounts if a.partner == partner and not a.gone]

    def allocated_to_accounts(self, partner: int) -> int:
        return sum(a.allocated for a in self.open_accounts(partner))

    def added(self, partner: int) -> int:
        return sum(a.added for a in self.open_accounts(partner))

    def fits(self, number: int) -> bool:
        """Whether what a partner's accounts have is within its allocation, and with their overrides within its own."""
        partner, total, added = self.partners[number], self.allocated_to_accounts(number), self.added(number)
        if max(total, added) > LARGEST:
            return False
        if partner.allocated == 0 or partner.overdraft:
            return True
        return total <= partner.allocated and (added == 0 or total + added <= partner.effective)

    def grant_to_account(self, number: int, capacity: int, days: int, now: datetime) -> Outcome:
        if days > 90:
            return "invalid"
        account = self.accounts[number]
        if account.gone:
            return "not found"
        before = account.override, account.until
        outcome = self.grant(account, capacity, days, now)
        if outcome == "done" and not self.fits(account.partner):
            account.override, account.until = before
            return "conflict"
        return outcome

    def grant_to_partner(self, number: int, capacity: int, days: int, now: datetime) -> Outcome:
        if days > 90:
            return "invalid"
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        before = partner.override, partner.until
        outcome = self.grant(partner, capacity, days, now)
        too_much = self.allocated(partner.contract) > self.contracts[partner.contract].reserved
        if outcome == "done" and (too_much or not self.fits(number)):
            partner.override, partner.until = before
            return "conflict"
        return outcome

    def grant(self, subject: Overridden, capacity: int, days: int, now: datetime) -> Outcome:
        if subject.allocated == 0:
            return "conflict"
        if capacity <= subject.allocated:
            return "invalid"
        day = now.date() + timedelta(days=days + 1)
        subject.override, subject.until = capacity, datetime(day.year, day.month, day.day, tzinfo=UTC)
        return "done"

    def end_of_account(self, number: int) -> Outcome:
        if self.accounts[number].gone:
            return "not found"
        self.accounts[number].end()
        return "done"

    def end_of_partner(self, number: int) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        before = partner.override, partner.until
        partner.end()
        if not self.fits(number):
            partner.override, partner.until = before
            return "conflict"
        return "done"

    def end_due(self, now: datetime) -> None:
        for account in self.accounts:
            if account.until is not None and account.until <= now:
                account.end()
        for number, partner in enumerate(self.partners):
            if partner.until is not None and partner.until <= now:
                partner.end()
                if not self.fits(number):
                    for account in self.open_accounts(number):
                        account.end()

    def amend(self, contract: int, reserved: int) -> Outcome:
        if reserved < self.allocated(contract):
            return "conflict"
        self.contracts[contract].terms += reserved != self.contracts[contract].reserved
        self.contracts[contract].reserved = reserved
        return "done"

    def create_partner(self, contract: int, allocated: int, overdraft: bool) -> Outcome:
        if self.allocated(contract) + allocated > self.contracts[contract].reserved:
            return "conflict"
        self.partners.append(PartnerModel(allocated, contract, overdraft))
        return "done"

    def change_partner(self, number: int, allocated: int | None, overdraft: bool | None) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        new = partner.allocated if allocated is None else allocated
        lenient = partner.overdraft if overdraft is None else overdraft
        before = partner.allocated, partner.overdraft
        partner.allocated, partner.overdraft = new, lenient
        if self.allocated(partner.contract) > self.contracts[partner.contract].reserved or not self.fits(number):
            partner.allocated, partner.overdraft = before
            return "conflict"
        partner.terms += (new, lenient) != before
        return "done"

    def move(self, number: int, contract: int) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        if contract == partner.contract:
            return "done"
        if self.contracts[contract].currency != self.contracts[partner.contract].currency:
            return "conflict"
        if self.allocated(contract) + partner.effective > self.contracts[contract].reserved:
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
        self.partners[number].end()
        return "done"

    def create_account(self, number: int, allocated: int) -> Outcome:
        partner = self.partners[number]
        if partner.closed:
            return "not found"
        self.accounts.append(AccountModel(allocated, number))
        if not self.fits(number):
            self.accounts.pop()
            return "conflict"
        return "done"

    def change_account(self, number: int, allocated: int | None, overdraft: bool | None) -> Outcome:
        account = self.accounts[number]
        if account.gone:
            return "not found"
        before = account.allocated, account.overdraft
        account.allocated = account.allocated if allocated is None else allocated
        account.overdraft = account.overdraft if overdraft is None else overdraft
        if not self.fits(account.partner):
            account.allocated, account.overdraft = before
            return "conflict"
        account.terms += (account.allocated, account.overdraft) != before
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
                account.end()
