"""One server for all clients, and a contract with partners for each."""

from collections.abc import Generator
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.api.conftest import CHEAP
from tests.cast import NOW, TB, Cast, unique
from tests.clocks import clocks
from tests.served import served
from tonnage.access.actor import Role
from tonnage.asgi import create_app
from tonnage.passwords import Passwords
from tonnage.sealing import create_key_file


@pytest.fixture(scope="module")
def origin(conninfo: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    key_file = tmp_path_factory.mktemp("keys") / "secret.key"
    create_key_file(key_file)
    app = create_app(conninfo, **clocks(lambda: NOW), passwords=Passwords(CHEAP), key_file=key_file)
    with served(app) as origin:
        yield origin


@dataclass(frozen=True)
class PartnersData:
    """A contract of 10 TB with the partners One, Two and Three, each with 1 TB of it."""

    distributor: str
    key: str
    contract: UUID

    def arguments(self, origin: str) -> tuple[str, str, str]:
        """Those of a client's program."""
        return origin, self.key, str(self.contract)


@pytest.fixture
async def data(cast: Cast) -> PartnersData:
    name = unique("Distributor")
    distributor = await cast.distributor(name)
    contract = await cast.contract(distributor, 10 * TB)
    for partner in ("One", "Two", "Three"):
        await cast.partner(distributor, contract, TB, name=partner)
    return PartnersData(name, await cast.key(distributor, Role.STAFF), contract)
