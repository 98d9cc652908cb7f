"""A power failure under load: no acknowledged change is lost, none is made twice, and every total is exact."""

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from testbed.stopping import kill
from tests.cli.running import Running, started, tonnage
from tests.postgres import Cluster
from tests.processes import descendants
from tonnage.sealing import create_key_file

pytestmark = pytest.mark.oldest_postgresql

ACKNOWLEDGED = 150
"""Changes that must have been acknowledged before the power failure."""


@dataclass
class Deployment:
    """The data and the processes; `cut_power` simulates a power failure."""

    database: list[str]
    cluster: Cluster | None
    settings: dict[str, str]

    @contextmanager
    def running(self) -> Generator[Running]:
        with started("serve", "--port", "0", *self.database, **self.settings) as server:
            yield server

    def command(self, *arguments: str) -> str:
        """The output of a command."""
        return tonnage(*arguments, *self.database, **self.settings).stdout

    def cut_power(self, server: Running) -> None:
        kill(server.process.pid, *descendants(server.process.pid))
        server.process.wait()
        if self.cluster:
            self.cluster.kill()

    def restore(self) -> None:
        if self.cluster:
            self.cluster.start()


@pytest.fixture
def deployment(tmp_path: Path) -> Generator[Deployment]:
    programs = os.environ.get("TONNAGE_TEST_POSTGRES")
    if programs:
        cluster = Cluster(Path(programs), durable=True)
        assert tonnage("migrate", "--database-url", cluster.url).exit_code == 0
        key_file = tmp_path / "secret.key"
        create_key_file(key_file)
        database = ["--database-url", cluster.url, "--data-dir", str(tmp_path / "data")]
        yield Deployment(database, cluster, {"TONNAGE_SECRET_KEY_FILE": str(key_file)})
        cluster.remove()
    else:
        yield Deployment(["--data-dir", str(tmp_path / "data")], None, {})


@dataclass
class Client(threading.Thread):
    """Creates and resizes partners in sequence, and keeps what was acknowledged, and the request without a response."""

    origin: str
    key: str
    contract: str
    enough: Callable[[], None]
    acknowledged: dict[str, int] = field(default_factory=dict[str, int])
    unsure: set[str] = field(default_factory=set[str])
    interrupted: httpx.Request | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        client = httpx.Client(base_url=f"{self.origin}/v1", headers=headers, timeout=30)
        with client as http, contextlib.suppress(httpx.TransportError):
            while True:
                self._create_and_resize(http)

    def _create_and_resize(self, http: httpx.Client) -> None:
        body: dict[str, object] = {
            "name": uuid.uuid4().hex,
            "allocatedCapacity": 3,
            "distributorContractId": self.contract,
        }
        made = self._send(http, "POST", "/partner", body)
        if made.status_code != 201:
            return
        partner = made.json()["id"]
        self.acknowledged[partner] = 3
        self.unsure.add(partner)
        resized = self._send(http, "PUT", f"/partner/{partner}", {"allocatedCapacity": 5})
        if resized.status_code == 200:
            self.acknowledged[partner] = 5
            self.unsure.discard(partner)
        self.enough()

    def _send(self, http: httpx.Client, method: str, path: str, body: dict[str, object]) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        self.interrupted = http.build_request(method, path, json=body, headers=headers)
        response = http.send(self.interrupted)
        self.interrupted = None
        return response

    __hash__ = threading.Thread.__hash__


def ready(deployment: Deployment) -> tuple[str, str]:
    """A contract and a key, created at the command line beside the running server."""
    distributor = _id(
        tonnage("distributor", "create", "Northern", "--json", *deployment.database, **deployment.settings).stdout
    )
    signed = ["--distributor", distributor, "--reserved", "1TB", "--price", "1", "--currency", "EUR"]
    contract = _id(tonnage("contract", "create", *signed, "--json", *deployment.database, **deployment.settings).stdout)
    made_for = ["--organisation", distributor, "--role", "staff", "--description", "load"]
    key = deployment.command("key", "create", *made_for).strip()
    return contract, key


def _id(document: str) -> str:
    return json.loads(document)["id"]


def test_nothing_acknowledged_is_lost(deployment: Deployment) -> None:
    with deployment.running() as server:
        origin = server.origin
        contract, key = ready(deployment)
        count = threading.Semaphore(0)
        clients = [Client(origin, key, contract, count.release) for _ in range(4)]
        for client in clients:
            client.start()
        for _ in range(ACKNOWLEDGED):
            assert count.acquire(timeout=60)
        deployment.cut_power(server)
        for client in clients:
            client.join(60)
    deployment.restore()
    with deployment.running() as server:
        origin, headers = server.origin, {"Authorization": f"Bearer {key}"}
        listed = httpx.get(f"{origin}/v1/contract/{contract}/partners", headers=headers)
        stored = {partner["id"]: partner["allocatedCapacity"] for partner in listed.json()}
        for client in clients:
            for partner, allocated in client.acknowledged.items():
                assert stored[partner] == allocated or (partner in client.unsure and stored[partner] == 5)
        for client in clients:
            assert client.interrupted is not None
            assert_made_once(origin, client.interrupted)
        names = [partner["name"] for partner in httpx.get(listed.url, headers=headers).json()]
        assert len(names) == len(set(names))
        doctor = tonnage("doctor", *deployment.database, **deployment.settings)
        assert doctor.exit_code == 0, doctor.output


def assert_made_once(origin: str, interrupted: httpx.Request) -> None:
    """The request, sent again, succeeds, whether it was made or not; from then on it gets the same response."""
    responses = [
        httpx.request(
            interrupted.method,
            f"{origin}{interrupted.url.path}",
            content=interrupted.content,
            headers={name: interrupted.headers[name] for name in ("authorization", "content-type", "idempotency-key")},
        )
        for _ in range(2)
    ]
    assert responses[0].is_success, responses[0].text
    assert responses[1].content == responses[0].content
    assert responses[1].headers["idempotency-replayed"] == "true"
