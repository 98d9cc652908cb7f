"""pgbench: the same SQL on the same database without the product."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.load import CLIENTS


def find() -> str | None:
    """Finds pgbench. Debian keeps it beside the server's programs."""
    beside = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(beside[-1]) if beside else shutil.which("pgbench")


def rate(program: str, url: str, script: str, seconds: int) -> float:
    """Transactions a second. The script is one transaction; each statement is prepared and commits by itself."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [program, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(seconds), "-f", file.name]
        ran = subprocess.run([*command, url], capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([\d.]+)", ran.stdout, re.MULTILINE)
    if ran.returncode or not found:
        raise RuntimeError(f"pgbench has failed: {ran.stderr or ran.stdout}")
    return float(found[1])
