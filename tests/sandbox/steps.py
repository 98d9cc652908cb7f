"""What integrators do with a sandbox: by its API with keys, and by the command line where there is no API for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import httpx

from tests.billing_profiles.profiles import of_country
from tests.cli.command import Command

GB, TB = 10**9, 10**12
GERMAN, AUSTRIAN = "DE136695976", "ATU13585627"

_numbers = count(1)


class Refused(Exception):
    """The API has refused a request: its status, and the code of the error."""

    def __init__(self, response: httpx.Response) -> None:
        self.status, self.code = response.status_code, response.json().get("code")
        super().__init__(f"{response.request.method} {response.request.url.path}: {self.status} {response.text}")


@dataclass
class Sandbox:
    """The operator of a sandbox that another process serves."""

    http: httpx.Client
    command: Command
    key: str
    day: str
    """Where its clock stands, at midnight."""
    shared: "list[tuple[Distributor, str]]" = field(default_factory=list["tuple[Distributor, str]"])
    """The distributor that most cases share, and its contract; empty before the first of them."""

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """The JSON of the response. Raises Refused."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        response = self.http.request(method, path, headers=headers, json=body)
        if response.status_code >= 400:
            raise Refused(response)
        return response.json() if response.content else None

    def advance(self, day: str) -> None:
        self.call("POST", "/ext/v1/sandbox/clock", {"advanceTo": f"{day}T00:00:00Z"})
        self.day = day

    def set_up(self) -> None:
        """The operator's address and taxes."""
        self.call("PUT", "/ext/v1/billing-profile", of_country("DE", GERMAN))
        self.call("PUT", "/ext/v1/tax-rates", rates(("2020-01-01", "19")))

    def distributor(self, *, vat_id: str = GERMAN, percent: str = "19", **settings: Any) -> "Distributor":
        """A new one, with an address in Germany."""
        made = self.command.json("distributor", "create", f"Distributor {next(_numbers)}")["id"]
        words = ("--organisation", made, "--role", "admin", "--description", "Statements")
        distributor = Distributor(self, made, self.command.ok("key", "create", *words).strip())
        distributor.call("PUT", "/ext/v1/billing-profile", of_country("DE", vat_id))
        distributor.call("PUT", "/ext/v1/tax-rates", rates(("2020-01-01", percent)))
        distributor.call("PUT", "/ext/v1/billing-settings", settings)
        return distributor

    def statements(self, month: str, buyer: str) -> list[Any]:
        """Those of a contract."""
        return _statements(self.call, month, buyer)

    def statement(self, month: str, buyer: str) -> Any:
        (only,) = self.statements(month, buyer)
        return only

    def price(self, contract: str, **prices: Any) -> None:
        """What the distributor pays for a contract, from today on."""
        _price(self.call, self.day, f"contract/{contract}", "EUR", prices)

    def use(self, account: str, first: str, last: str, size: int) -> None:
        days = ("--from", first, "--to", last, "--bytes", str(size))
        self.command.ok("sandbox", "usage", account, *days)

    def upload(self, *readings: tuple[str, str, int]) -> Any:
        """A file of readings: account, time, bytes. Returns how many it has, and how many of them change something."""
        lines = "".join(f"{account},{at},{size}\n" for account, at, size in readings)
        return self.command.json("usage", "import", "-", stdin=f"account,time,bytes\n{lines}")


@dataclass(frozen=True)
class Distributor:
    """A seller with a key of its own."""

    sandbox: Sandbox
    id: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.sandbox.call(method, path, body, self.key)

    def contract(self, price: str = "100", reserved: str = "100000TB") -> str:
        words = ("--reserved", reserved, "--price", price, "--currency", "EUR")
        return self.sandbox.command.json("contract", "create", "--distributor", self.id, *words)["id"]

    def partner(self, contract: str, allocated: int = 0, *, country: str = "DE", vat_id: str = "") -> "Partner":
        """It may use more than that. Its profile is kept by the distributor; without a country there is none."""
        body = {"distributorContractId": contract, "name": f"Partner {next(_numbers)}", "allowOverdraft": True}
        made = self.call("POST", "/v1/partner", {**body, "allocatedCapacity": allocated})["id"]
        if country:
            self.call("PUT", f"/ext/v1/partners/{made}/billing-profile", of_country(country, vat_id))
        return Partner(self, made)

    def priced(self, contract: str, allocated: int = 0, *, currency: str = "EUR", **prices: Any) -> "Partner":
        """A partner with a price book of its own, which begins today."""
        partner = self.partner(contract, allocated)
        partner.price(currency, **prices)
        return partner

    def price(self, contract: str, **prices: Any) -> None:
        """What partners under a contract pay, from today on."""
        _price(self.call, self.sandbox.day, f"contract/{contract}", "EUR", prices)

    def freeze(self, month: str) -> Any:
        return self.call("POST", f"/ext/v1/months/{month}/freeze")

    def statements(self, month: str, buyer: str | None = None) -> list[Any]:
        return _statements(self.call, month, buyer)

    def credit(self, statement: str, *lines: tuple[int, str]) -> Any:
        """A credit note for amounts of lines, or for all that is left."""
        body: dict[str, Any] = {"reason": "Not available"}
        if lines:
            body["lines"] = [{"no": no, "amount": amount} for no, amount in lines]
        made = self.call("POST", f"/ext/v1/statements/{statement}/credit-notes", body)
        return self.call("GET", f"/ext/v1/statements/{made['id']}")


@dataclass
class Partner:
    """A buyer, and what its distributor does with it."""

    seller: Distributor
    id: str
    book: str = ""
    currency: str = "EUR"

    def price(self, currency: str = "EUR", since: str | None = None, **prices: Any) -> None:
        """A price book from today on; or a version more of it."""
        day, call = since or self.seller.sandbox.day, self.seller.call
        if self.book:
            _publish(call, self.book, day, prices)
        else:
            self.book = _price(call, day, f"partner/{self.id}", currency, prices)

    def account(self) -> str:
        body = {
            "name": f"Account {next(_numbers)}",
            "allocatedCapacity": 0,
            "allowOverdraft": True,
            "region": "metered-1",
            "clientAccount": {"contactEmail": f"it{next(_numbers)}@example.org", "password": "Sesame-opens-1"},
        }
        return self.seller.call("POST", f"/v1/partner/{self.id}/storage-accounts", body)["clientAccountId"]

    def use(self, size: int, first: str, last: str) -> str:
        """In a new account, on each day through the last one. Returns the account."""
        account = self.account()
        self.seller.sandbox.use(account, first, last, size)
        return account

    def resize(self, allocated: int) -> None:
        self.seller.call("PUT", f"/v1/partner/{self.id}", {"allocatedCapacity": allocated})

    def draft(self, month: str) -> Any:
        return self.seller.call("GET", f"/ext/v1/statements/draft-{self.id}-{month}")

    def statements(self, month: str) -> list[Any]:
        return self.seller.statements(month, self.id)

    def statement(self, month: str) -> Any:
        """The only one of a month."""
        (only,) = self.statements(month)
        return only

    def adjustments(self) -> list[Any]:
        return self.seller.call("GET", f"/ext/v1/adjustments?buyer={self.id}")

    def pdf(self, month: str) -> bytes:
        path = f"/ext/v1/statements/{self.statement(month)['id']}.pdf"
        headers = {"Authorization": f"Bearer {self.seller.key}"}
        return self.seller.sandbox.http.get(path, headers=headers).raise_for_status().content


def rates(*table: tuple[str, str]) -> dict[str, Any]:
    """A table of tax rates: first day, percent."""
    return {"rates": [{"validFrom": day, "percent": percent} for day, percent in table]}


def amounts(statement: Any, product: str | None = None) -> list[str]:
    """Of its lines, in their order, whose sum is its net; of one product, if it is given."""
    assert sum((Decimal(line["amount"]) for line in statement["lines"]), Decimal(0)) == Decimal(statement["net"])
    return [line["amount"] for line in statement["lines"] if product in (None, line["product"])]


def spans(statement: Any) -> list[tuple[str, str, str]]:
    """First and last day and the amount of each line."""
    return [(line["from"], line["to"], line["amount"]) for line in statement["lines"]]


def _price(call: Any, day: str, whom: str, currency: str, prices: dict[str, Any]) -> str:
    book = call("POST", "/ext/v1/price-books", {"name": f"Prices {next(_numbers)}", "currency": currency})["id"]
    _publish(call, book, day, prices)
    call("PUT", f"/ext/v1/price-assignments/{whom}", {"priceBook": book, "validFrom": day})
    return book


def _publish(call: Any, book: str, day: str, prices: dict[str, Any]) -> None:
    version = call("POST", f"/ext/v1/price-books/{book}/versions", {"validFrom": day, **prices})["number"]
    call("POST", f"/ext/v1/price-books/{book}/versions/{version}/publication")


def _statements(call: Any, month: str, buyer: str | None) -> list[Any]:
    """Whole, without credit notes, in order of their numbers."""
    listed: Sequence[Any] = call("GET", f"/ext/v1/statements?month={month}&role=seller")
    ids = [one["id"] for one in listed if buyer in (None, one["buyer"]) and one["kind"] != "credit_note"]
    found = [call("GET", f"/ext/v1/statements/{one}") for one in ids]
    return sorted(found, key=lambda one: json.dumps(one["number"]))
