"""The command line as a script uses it."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from tonnage.cli import main


@dataclass(frozen=True)
class Command:
    """`tonnage` on one database."""

    conninfo: str

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        """The command's result in any case; an unexpected exception is raised."""
        environment = {"TONNAGE_DATABASE_URL": self.conninfo}
        result = CliRunner(env=environment).invoke(main, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        """The output of a successful command."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def json(self, *arguments: str, stdin: str | bytes | None = None) -> Any:
        """The document that it prints with `--json`."""
        return json.loads(self.ok(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        """The sentence of a refusal, which must be the only output."""
        return self._ended(1, *arguments, stdin=stdin)

    def misused(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        """The sentence about wrong usage."""
        return self._ended(2, *arguments, stdin=stdin)

    def _ended(self, status: int, *arguments: str, stdin: str | bytes | None) -> str:
        result = self(*arguments, stdin=stdin)
        assert (result.exit_code, result.stdout) == (status, ""), result.output
        return result.stderr

    def distributor(self) -> str:
        """Returns the id of a new one."""
        return self.json("distributor", "create", "Distributor")["id"]

    def contract(self, distributor: str, reserved: str = "10TB") -> str:
        """Returns the id of a new one."""
        terms = ("--reserved", reserved, "--price", "100", "--currency", "EUR")
        return self.json("contract", "create", "--distributor", distributor, *terms)["id"]

    def partner(self, contract: str, allocated: str = "0") -> str:
        """Returns the id of a new one."""
        return self.json("partner", "create", "--contract", contract, "--name", "Partner", "--allocated", allocated)[
            "id"
        ]
