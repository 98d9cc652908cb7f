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


class RunningSystem:
    """Runs commands, and sends requests with a partner's key, beside a server."""

    def __init__(self, origin: str, data: Path) -> None:
        self.origin = origin
        self._data = data
        self.key = self.operator_key = ""

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        done = tonnage(*arguments, "--data-dir", self._data, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.stdout

    def create(self, *arguments: str) -> str:
        return json.loads(self.run(*arguments, "--json"))["id"]

    def unhealthy_regions(self) -> Any:
        return self.request("GET", "/readyz", key=self.operator_key)["unhealthyRegions"]

    def request(self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Any:
        request = urllib.request.Request(
            self.origin + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def create_account(self, name: str) -> str:
        details = {
            "name": name,
            "allocatedCapacity": 100_000,
            "allowOverdraft": False,
            "clientAccount": {"contactEmail": f"{name}@cluster.example", "password": "Choose-1-yourself"},
        }
        return self.request("POST", "/v1/storage-account", details)["clientAccountId"]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_accounts_are_provisioned_also_after_an_outage(own_gateway: Gateway, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started("serve", "--port", "0", "--data-dir", data) as server:
        system = RunningSystem(server.origin, data)
        s3 = own_gateway.address
        where = ("--s3-url", s3, "--iam-url", s3, "--sts-url", s3, "--ceph-admin-url", s3)
        system.run("region", "add", "eu-1", *where, stdin=f"{own_gateway.access_key}\n{own_gateway.secret_key}\n")
        system.run("region", "check", "eu-1")
        distributor = system.create("distributor", "create", "Distributor")
        terms = ("--reserved", "1TB", "--price", "1", "--currency", "EUR")
        contract = system.create("contract", "create", "--distributor", distributor, *terms)
        partner = system.create("partner", "create", "--contract", contract, "--name", "Partner", "--allocated", "1TB")
        admitted = ("--organisation", partner, "--role", "admin", "--description", "test")
        system.key = system.run("key", "create", *admitted).strip()
        reading = ("--operator", "--role", "viewer", "--description", "test")
        system.operator_key = system.run("key", "create", *reading).strip()

        first = system.create_account("first")

        def provisioning(account: str) -> str:
            return system.request("GET", f"/ext/v1/storage-account/{account}")["provisioning"]

        until(lambda: provisioning(first) == "done")
        printed = dict(line.split("=", 1) for line in system.run("account", "key", "create", first).splitlines())
        with Customer(own_gateway, AccessKey(printed["AWS_ACCESS_KEY_ID"], printed["AWS_SECRET_ACCESS_KEY"])) as user:
            user.s3.create_bucket(Bucket="data")
            assert user.stores("data", 60_000, "first") == "done"
            assert user.stores("data", 60_000, "second") == "QuotaExceeded"

        own_gateway.kill()
        second = system.create_account("second")
        until(lambda: system.unhealthy_regions() != [])
        (trouble,) = system.unhealthy_regions()
        assert (trouble["region"], "cannot be reached" in trouble["detail"]) == ("eu-1", True)
        assert provisioning(second) == "pending"
        with pytest.raises(urllib.error.HTTPError) as refused:
            system.request("POST", f"/ext/v1/storage-account/{second}/access-keys", {})
        with refused.value as answer:
            assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
        assert "provisioning.reconcile" in system.run("jobs", "list")

        own_gateway.start()
        until(lambda: provisioning(second) == "done")
