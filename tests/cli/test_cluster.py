"""A server and a cluster from the operator's view: commands beside a running `serve`, whose worker runs the jobs."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from testbed.gateway import Gateway
from tests.cli.running import PATIENCE, started, tonnage
from tests.storage.customer import Customer
from tonnage.storage.backend import AccessKey

pytestmark = pytest.mark.ceph


@pytest.fixture(scope="module")
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A gateway that a test may kill."""
    own = Gateway(tmp_path_factory.mktemp("cluster"))
    yield own
    own.remove()


class Beside:
    """Runs commands, and sends requests with a partner's key, beside a server."""

    def __init__(self, origin: str, data: Path) -> None:
        self.origin = origin
        self._data = data
        self.key = ""

    def runs(self, *arguments: str, stdin: str | None = None) -> str:
        done = tonnage(*arguments, "--data-dir", self._data, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.stdout

    def made(self, *arguments: str) -> str:
        return json.loads(self.runs(*arguments, "--json"))["id"]

    def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.origin + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def opens(self, name: str) -> str:
        details = {
            "name": name,
            "allocatedCapacity": 100_000,
            "allowOverdraft": False,
            "clientAccount": {"contactEmail": f"{name}@cluster.example", "password": "Choose-1-yourself"},
        }
        return self.asks("POST", "/v1/storage-account", details)["clientAccountId"]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_accounts_follow_and_the_cluster_may_be_away(own_gateway: Gateway, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started("serve", "--port", "0", "--data-dir", data) as server:
        beside = Beside(server.origin, data)
        s3 = own_gateway.address
        where = ("--s3-url", s3, "--iam-url", s3, "--sts-url", s3, "--ceph-admin-url", s3)
        beside.runs("region", "add", "eu-1", *where, stdin=f"{own_gateway.access_key}\n{own_gateway.secret_key}\n")
        beside.runs("region", "check", "eu-1")
        distributor = beside.made("distributor", "create", "Distributor")
        terms = ("--reserved", "1TB", "--price", "1", "--currency", "EUR")
        contract = beside.made("contract", "create", "--distributor", distributor, *terms)
        partner = beside.made("partner", "create", "--contract", contract, "--name", "Partner", "--allocated", "1TB")
        admitted = ("--organisation", partner, "--role", "admin", "--description", "test")
        beside.key = beside.runs("key", "create", *admitted).strip()

        first = beside.opens("first")

        def provisioning(account: str) -> str:
            return beside.asks("GET", f"/ext/v1/storage-account/{account}")["provisioning"]

        until(lambda: provisioning(first) == "done")
        printed = dict(line.split("=", 1) for line in beside.runs("account", "key", "create", first).splitlines())
        with Customer(own_gateway, AccessKey(printed["AWS_ACCESS_KEY_ID"], printed["AWS_SECRET_ACCESS_KEY"])) as user:
            user.s3.create_bucket(Bucket="data")
            assert user.stores("data", 60_000, "first") == "done"
            assert user.stores("data", 60_000, "second") == "QuotaExceeded"

        own_gateway.kill()
        second = beside.opens("second")
        until(lambda: "trouble" in beside.asks("GET", "/readyz"))
        (trouble,) = beside.asks("GET", "/readyz")["trouble"]
        assert (trouble["region"], "cannot be reached" in trouble["detail"]) == ("eu-1", True)
        assert provisioning(second) == "pending"
        with pytest.raises(urllib.error.HTTPError) as refused:
            beside.asks("POST", f"/ext/v1/storage-account/{second}/access-keys", {})
        with refused.value as answer:
            assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
        assert "provisioning.reconcile" in beside.runs("jobs", "list")

        own_gateway.start()
        until(lambda: provisioning(second) == "done")
