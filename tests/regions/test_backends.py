"""The clients of clusters that a process keeps."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.authentication.members import key_file
from tests.cast import Cast
from tonnage.regions import actions
from tonnage.regions.backends import open_backends
from tonnage.regions.region import Gateway, NewRegion
from tonnage.storage.errors import Misconfigured

pytestmark = pytest.mark.anyio

GATEWAY = Gateway("http://127.0.0.1:1", "ACCESS", "secret")


async def test_a_client_that_cannot_be_replaced_is_kept_once(cast: Cast, tmp_path: Path) -> None:
    keys, name = key_file(tmp_path), f"r{uuid4().hex[:12]}"
    region = NewRegion(name, *["https://s3.example.org"] * 3)
    await cast.database.transaction(actions.add_region, cast.operator, region, cast.now, gateway=GATEWAY, key_file=keys)
    (region_id,) = await cast.row("select id from region where name = %s", name)
    async with open_backends(cast.database, keys) as backends:
        await backends.any_state(region_id)
        await cast.database.transaction(actions.connect_region, cast.operator, name, GATEWAY, cast.now, keys)
        hidden = keys.rename(tmp_path / "elsewhere")
        for _ in range(5):
            with pytest.raises(Misconfigured):
                await backends.any_state(region_id)
        assert backends.clients == 1
        hidden.rename(keys)
        for _ in range(2):
            await backends.any_state(region_id)
        assert backends.clients == 2
