"""`make demo-ceph`: its snippet is run as printed."""

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


@pytest.mark.ceph
def test_the_printed_snippet_works_when_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "testbed.demo", "--port", "0", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        watchdog = threading.Timer(PATIENCE, demo.kill)
        watchdog.start()
        printed = ""
        assert demo.stdout is not None
        for line in demo.stdout:
            printed += line
            if "Ctrl-C stops everything" in line:
                break
        pasted = re.search(r"^\.venv/bin/python - <<'END'\n(.*?)^END$", printed, re.MULTILINE | re.DOTALL)
        assert pasted, printed
        said = subprocess.run(
            [sys.executable, "-"], input=pasted[1], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert said.stdout.splitlines() == ["Hello from Tonnage", "100 MB and one byte: QuotaExceeded"], said.stderr
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(PATIENCE) == 130
        watchdog.cancel()
    assert "Traceback" not in rest
    assert not folder.exists()
