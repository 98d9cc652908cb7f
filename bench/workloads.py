"""The workloads: their requests, and the checks of their replies."""

import json
import urllib.request
from collections.abc import Callable
from uuid import UUID

from bench import dataset
from bench.dataset import Dataset, Distributor
from bench.load import Request
from bench.servers import Server

BARE = Request("/")
HEALTH = Request("/healthz")


def contracts(distributor: Distributor) -> Request:
    """W1."""
    return Request("/v1/contract/list", distributor.key)


def creation(distributor: Distributor, contract: UUID) -> Request:
    """W2."""
    body = {
        "distributorContractId": str(contract),
        "name": "Nimbus Backup GmbH",
        "allocatedCapacity": dataset.ALLOCATED,
    }
    return Request("/v1/partner", distributor.key, json.dumps(body))


def partners(data: Dataset) -> Request:
    """W3."""
    return Request(f"/v1/contract/{data.reports.contracts[0]}/partners", data.reports.key)


def usage(data: Dataset, partner: UUID) -> Request:
    """W4 with the small partner, W5 with the large one."""
    return Request(f"/v1/partner/{partner}/usage?from={data.first}&to={data.last}", data.reports.key)


def requests(data: Dataset, url: str) -> dict[str, Callable[[], Request]]:
    """W1 to W4, created anew for each run: writes start with a contract of ten partners each time."""
    return {
        "W1": lambda: contracts(data.few),
        "W2": lambda: creation(data.writers, dataset.fresh(url, data.writers)),
        "W3": lambda: partners(data),
        "W4": lambda: usage(data, data.small_partner),
    }


def check(server: Server, data: Dataset) -> bytes:
    """Checks the lengths of the lists. Returns the body of W4."""
    body = b""
    for request, length in ((contracts(data.few), 3), (partners(data), 1_000), (usage(data, data.small_partner), 500)):
        body = _get(server, request)
        elements = json.loads(body)
        if len(elements) != length:
            raise RuntimeError(f"{request.path} has {len(elements)} elements")
    days = sum(len(account["daily_usage"]) for account in json.loads(body))
    if days != 500 * dataset.DAYS:
        raise RuntimeError(f"the report of 500 accounts has {days} days")
    return body


def _get(server: Server, request: Request) -> bytes:
    url = f"http://127.0.0.1:{server.port}{request.path}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {request.key}"})) as got:
        return got.read()
