"""Freshness in the API: the age of the numbers, for operators, distributors and partners."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from tests.metering.sampled import SampledData
from tests.metering.test_traffic_api import bearer, serving
from tonnage.access.actor import Role
from tonnage.db import connect
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable

pytestmark = pytest.mark.anyio


async def test_nothing_is_fresh_without_regions(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    with new_database() as conninfo:
        async with connect(conninfo) as database, serving(conninfo) as http:
            cast = await Cast.of(database)
            answer = await http.get("/usage/freshness", headers=await bearer(cast, await cast.distributor()))
            assert (answer.status_code, answer.json()) == (200, {"regions": []})
            assert (await http.get("/usage/freshness")).status_code == 401


@pytest.mark.ceph
async def test_freshness_for_everybody(data: SampledData) -> None:
    cast, client = data.cast, data.client
    await cast.region("a-metered-one")
    metered: dict[str, Any] = {
        "region": "a-metered-one", "backend": "metered", "sampled": 0, "missed": 0, "running": False
    }  # fmt: skip
    counts = {"sampled", "missed"}
    ceph: dict[str, Any] = {"region": "on-ceph", "backend": "ceph", "sampled": 0, "missed": 0, "running": False}

    async def fresh() -> list[dict[str, Any]]:
        answers: list[list[dict[str, Any]]] = []
        for actor in (cast.operator, data.distributor, data.partner):
            answer = await client.call("GET", "/ext/v1/usage/freshness", await client.key(actor, Role.VIEWER))
            assert answer.status_code == 200
            answers.append(answer.json()["regions"])
        # Only the operator sees the numbers of accounts.
        uncounted = [{name: one[name] for name in one.keys() - counts} for one in answers[0]]
        assert answers[1:] == [uncounted] * 2
        return answers[0]

    assert await fresh() == [metered, ceph]
    first, _ = await data.accounts(2)
    await data.sample()
    ceph |= {"asOf": "2026-03-15T12:00:00Z", "sampled": 2}
    assert await fresh() == [metered, ceph]

    answering: list[int] = []

    async def fail(account: int) -> None:
        if account not in answering:
            raise Unavailable(
                "The storage cluster cannot do it now; try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
            )

    # No account answers: the run waits for its cluster, and the one before it is the last that has finished.
    data.probe.before = fail
    client.clock.now = NOW + timedelta(hours=1, minutes=10)
    with pytest.raises(Unavailable):
        await data.sample()
    assert await fresh() == [metered, ceph | {"sampled": 0, "running": True}]
    answering.append(first)
    with pytest.raises(Unavailable):
        await data.sample()
    assert await fresh() == [metered, ceph | {"asOf": "2026-03-15T13:00:00Z", "sampled": 1, "missed": 1}]
