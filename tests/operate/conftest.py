"""A cluster of databases, and Tonnage on it, for the tests of a worker; the table of what they measured."""

from collections.abc import Generator
from contextlib import ExitStack

import pytest

from testbed.gateway import Gateway
from tests.operate import patroni
from tests.operate.drill import Result, System
from tests.operate.installation import Installation
from tests.operate.patroni import PatroniCluster
from tests.operate.write_probe import WriteProbe

RESULTS: dict[str, Result] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    if patroni.ABSENT and item.get_closest_marker("patroni"):
        pytest.skip(patroni.ABSENT)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Generator[System]:
    """Complete before each drill, and its installation runs. On a gateway of its own: the shared one has the epochs of
    other tests' installations, and nothing is changed on another installation's cluster."""
    with ExitStack() as stack:
        gateway = Gateway(tmp_path_factory.mktemp("rgw"))
        stack.callback(gateway.remove)
        cluster = PatroniCluster()
        stack.callback(cluster.close)
        installation = Installation(cluster.url(), gateway, tmp_path_factory.mktemp("installation"))
        stack.callback(installation.close)
        probe = WriteProbe(cluster)
        stack.callback(probe.close)
        yield System(cluster, installation, probe)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not RESULTS:
        return
    terminalreporter.section("drills")
    terminalreporter.line("writes kept  longest request  503s  last after  jobs done after  database without writes")
    for name, result in RESULTS.items():
        outages = " + ".join(f"{seconds:.1f}" for seconds in result.outages) or "0"
        terminalreporter.line(
            f"{result.acknowledged:11}  {result.longest:13.1f} s  {result.refused:4}  {result.unavailable:8.1f} s"
            f"  {result.jobs:13.1f} s  {outages} s: {name}"
        )
