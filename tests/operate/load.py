"""Clients that write and read all the time, and record every reply."""

import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.operate.installation import Installation

_PAUSE = 0.1
"""Seconds between the requests of one client, so that two cores are busy but not overloaded."""

_LONGEST = 180.0
"""Seconds until a client gives up. Longer than any fault, so that a request that hangs is measured."""


@dataclass(frozen=True)
class Reply:
    """Times of the monotonic clock; `status` is 0 when the server did not reply."""

    kind: str
    began: float
    ended: float
    status: int
    retry_after: str | None
    text: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Record:
    """What all clients saw. The threads only append."""

    replies: list[Reply] = field(default_factory=list[Reply])
    partners: list[str] = field(default_factory=list[str])
    """The ids of the acknowledged ones."""
    accounts: list[str] = field(default_factory=list[str])
    sizes: list[int] = field(default_factory=list[int])
    """What the resized partner's allocation may be: as last acknowledged, or as in a request without a reply since."""

    def succeeded_since(self, moment: float) -> set[str]:
        """The kinds of requests that were sent later and succeeded."""
        return {reply.kind for reply in self.replies if reply.began > moment and reply.succeeded}


class Client(threading.Thread):
    """Repeats one kind of request until it is stopped."""

    def __init__(self, installation: Installation, key: str, record: Record, step: Callable[["Client"], None]) -> None:
        super().__init__(daemon=True)
        self.installation = installation
        self.record = record
        self.count = 0
        self._step = step
        self._stopping = threading.Event()
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=installation.origin, headers=headers, timeout=_LONGEST, trust_env=False)

    def run(self) -> None:
        with self._http:
            while not self._stopping.wait(_PAUSE):
                self.count += 1
                self._step(self)

    def stop(self) -> None:
        self._stopping.set()

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The document of a request that succeeds, else None."""
        began, kind = time.monotonic(), self._step.__name__
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.record.replies.append(Reply(kind, began, time.monotonic(), 0, None, repr(error)))
            return None
        retry_after = answer.headers.get("Retry-After")
        reply = Reply(kind, began, time.monotonic(), answer.status_code, retry_after, answer.text[:300])
        self.record.replies.append(reply)
        return answer.json() if reply.succeeded else None


def create_partner(client: Client) -> None:
    body = {"name": uuid.uuid4().hex, "allocatedCapacity": 1000, "distributorContractId": client.installation.contract}
    if made := client.request("POST", "/v1/partner", body):
        client.record.partners.append(made["id"])


def create_account(client: Client) -> None:
    name = uuid.uuid4().hex
    login = {"contactEmail": f"{name}@customer.example", "password": "Choose-1-yourself"}
    body = {"name": name, "allocatedCapacity": 1000, "allowOverdraft": False, "clientAccount": login}
    if made := client.request("POST", "/v1/storage-account", body):
        client.record.accounts.append(made["clientAccountId"])


def resize_partner(client: Client) -> None:
    """Always the same partner, by this client only."""
    size = 100 * 10**12 + client.count
    client.record.sizes.append(size)
    if client.request("PUT", f"/v1/partner/{client.installation.partner}", {"allocatedCapacity": size}):
        client.record.sizes[:] = [size]


def read_partner(client: Client) -> None:
    """The partner that was acknowledged last."""
    if acknowledged := client.record.partners:
        client.request("GET", f"/v1/partner/{acknowledged[-1]}")


def list_contracts(client: Client) -> None:
    client.request("GET", "/v1/contract/list")


def list_accounts(client: Client) -> None:
    """Streamed, with connections of their own."""
    client.request("GET", "/ext/v1/storage-account/list")


_STEPS = (create_partner, create_account, resize_partner, read_partner, list_contracts, list_accounts)
KINDS = {step.__name__ for step in _STEPS}


@contextmanager
def load(installation: Installation) -> Generator[Record]:
    """Eight clients. When this context has ended, all of their requests have."""
    record = Record()
    of_distributor, of_partner = installation.distributor_key, installation.partner_key
    clients = [
        Client(installation, of_distributor, record, create_partner),
        Client(installation, of_distributor, record, create_partner),
        Client(installation, of_distributor, record, create_partner),
        Client(installation, of_partner, record, create_account),
        Client(installation, of_distributor, record, resize_partner),
        Client(installation, of_distributor, record, read_partner),
        Client(installation, of_distributor, record, list_contracts),
        Client(installation, of_partner, record, list_accounts),
    ]
    for client in clients:
        client.start()
    try:
        yield record
    finally:
        for client in clients:
            client.stop()
        for client in clients:
            client.join(_LONGEST)
