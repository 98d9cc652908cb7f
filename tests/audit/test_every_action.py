"""Every audited action, its entry compared completely: action, actor, subject, organisations, before and after."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.audit import (
    access_keys,
    alerts_and_webhooks,
    billing,
    capacity,
    operation,
    overdraft_caps,
    overrides,
    people,
    personal_data,
    prices,
    sandbox,
    statements,
    suspensions,
    traces,
)
from tests.audit.recorded import AuditData, Case
from tests.authentication.members import key_file
from tests.cast import Cast
from tests.ceph_client import ClusterClient, on_cluster
from tests.sandbox.sandboxes import prepared, process
from tests.source import texts
from tonnage.security_events.counted_event import Counted

pytestmark = pytest.mark.anyio

CASES = [
    *capacity.CASES,
    *people.CASES,
    *operation.CASES,
    *personal_data.CASES,
    *billing.CASES,
    *prices.CASES,
    *statements.CASES,
    *alerts_and_webhooks.CASES,
    *overdraft_caps.CASES,
    *overrides.CASES,
    *suspensions.CASES,
    *traces.CASES,
]


def action_of(case: object) -> str:
    """`partner_move` is the case of `partner.move`."""
    return getattr(case, "__name__", "").replace("_", "-").replace("-", ".", 1)


@pytest.fixture
async def data(cast: Cast, tmp_path: Path) -> AuditData:
    return await AuditData.of(cast, key_file(tmp_path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_the_action_leaves_exactly_the_expected_entry(case: Case, data: AuditData) -> None:
    expected = await case(data)
    assert data.entries == expected.all
    assert action_of(case).startswith(expected.action)


@pytest.mark.parametrize("case", sandbox.CASES, ids=lambda case: case.__name__)
async def test_the_action_in_a_sandbox_leaves_exactly_the_expected_entry(
    case: Case, new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as started:
            await prepared(started, "2026-11-01")
            data = await AuditData.of(started.cast, key_file(tmp_path))
            expected = await case(data)
            assert data.entries == expected.all


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as client:
            yield client


@pytest.mark.ceph
@pytest.mark.parametrize("case", access_keys.CASES, ids=lambda case: case.__name__)
async def test_the_action_on_a_cluster_leaves_exactly_the_expected_entry(
    case: access_keys.ClusterCase, client: ClusterClient
) -> None:
    data = await AuditData.of(client.cast, client.key_file)
    expected = await case(client, data)
    assert data.entries == expected.all


def test_every_action_has_a_case() -> None:
    """The actions that the product's statements name; a new one needs a case of its own."""
    compared = {action_of(case) for case in [*CASES, *access_keys.CASES, *sandbox.CASES]}
    named: set[str] = set()
    for text in texts():
        for call in re.findall(r"\baudit\((.*?)(?=\baudit\(|$)", text, re.DOTALL):
            # One statement writes all that are counted.
            actions = list(Counted) if call.startswith("actor, ") else re.findall(r"'([a-z]+\.[a-z-]+)'", call)
            assert actions, f"an audit entry without a literal action: {call[:200]}"
            named |= set(actions)
    assert len(named) > 30
    assert named <= compared
