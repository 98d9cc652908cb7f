"""Tonnage as it is installed to be always available: a server and a worker, on a cluster of databases."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from testbed.gateway import Gateway
from tests.cli.running import environment, tonnage
from tests.operate.guarded import PATIENCE, Guarded


class Installation:
    """Has a distributor, a contract, a partner, and a region on a storage cluster. Runs from `run_on` to `close`."""

    def __init__(self, url: str, gateway: Gateway, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._processes: dict[str, Guarded] = {}
        self.origin = ""
        self.command("migrate")
        self.command("secret", "create")
        s3 = gateway.address
        where = ("--s3-url", s3, "--iam-url", s3, "--sts-url", s3, "--ceph-admin-url", s3)
        self.command("region", "add", "eu-1", *where, stdin=f"{gateway.access_key}\n{gateway.secret_key}\n")
        distributor = self._create("distributor", "create", "Distributor")
        terms = ("--reserved", "1000TB", "--price", "1", "--currency", "EUR")
        self.contract = self._create("contract", "create", "--distributor", distributor, *terms)
        named = ("--name", "Partner", "--allocated", "100TB")
        self.partner = self._create("partner", "create", "--contract", self.contract, *named)
        self.distributor_key, self.partner_key = self._key(distributor), self._key(self.partner)

    def run_on(self, url: str) -> None:
        """(Re)starts both processes with this URL; returns when they are ready."""
        self.close()
        self._url = url
        self.start_worker()
        self._start("serve", "serve", "--no-worker", "--port", "0")
        self.origin = self._printed("serve", r"serves (http://\S+)/v1")
        self._printed("worker", "(Tonnage runs jobs)")

    def start_worker(self) -> None:
        self._start("worker", "worker")

    def kill_worker(self) -> None:
        self._processes.pop("worker").kill()

    def ended(self) -> list[str]:
        """The output of the processes that do not run any more."""
        return [self._log(name).read_text() for name, process in self._processes.items() if not process.alive]

    def command(self, *arguments: str, stdin: str | None = None) -> str:
        """The output of a command that succeeds."""
        done = tonnage(*arguments, stdin=stdin, **self._settings())
        assert done.exit_code == 0, done.output
        return done.stdout

    def condition(self) -> str:
        """What an operator would look at when work is not done."""
        commands = (("jobs", "list"), ("restore", "check"), ("doctor",))
        answers = [tonnage(*command, **self._settings()).output for command in commands]
        return "\n\n".join([*answers, *(self._log(name).read_text()[-20_000:] for name in self._processes)])

    def close(self) -> None:
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def _settings(self) -> dict[str, str]:
        return {
            "TONNAGE_DATABASE_URL": self._url,
            "TONNAGE_SECRET_KEY_FILE": str(self._folder / "secret.key"),
            "TONNAGE_API_REQUESTS_PER_SECOND": "1000000",
        }

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _start(self, name: str, *arguments: str) -> None:
        self._log(name).unlink(missing_ok=True)
        command = [sys.executable, "-m", "tonnage", *arguments]
        self._processes[name] = Guarded(command, self._log(name), environment(**self._settings()))

    def _printed(self, name: str, pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._log(name).read_text())):
            assert not self.ended(), self.ended()
            assert time.monotonic() < deadline, self._log(name).read_text()
            time.sleep(0.05)
        return found.group(1)

    def _create(self, *arguments: str) -> str:
        made: dict[str, Any] = json.loads(self.command(*arguments, "--json"))
        return made["id"]

    def _key(self, organisation: str) -> str:
        admin = ("--organisation", organisation, "--role", "admin", "--description", "load")
        return self.command("key", "create", *admin).strip()
