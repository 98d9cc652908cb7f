"""`make demo` with port 8080 in use."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", ["demo", "demo-ceph"])
def test_the_port_can_be_chosen(target: str) -> None:
    def planned(*more: str) -> str:
        # Without the variables of a make that runs these tests.
        command = ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "-u", "PORT", "make", "--dry-run", target, *more]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    assert "--port" not in planned()
    assert planned("PORT=9090").endswith(" --port 9090")


@pytest.mark.ceph
def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "testbed.demo", "--port", port, "--folder", str(tmp_path / "demo")]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in said.stderr
    assert said.stderr.endswith("choose another: make demo-ceph PORT=9090\n")
