"""The page for customers, docs/s3-clients.md: its snippets are run verbatim on a real gateway."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.access_keys.keys import create_key, list_keys
from tests.ceph_client import ClusterClient

PAGE = (Path(__file__).parents[2] / "docs/s3-clients.md").read_text(encoding="utf-8")

ABSENT = (
    None
    if all(map(shutil.which, ("aws", "rclone")))
    else "The commands of docs/s3-clients.md were not tried out; for that: "
    "apt-get install --no-install-recommends awscli rclone"
)

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


class CustomerHome:
    """A customer's working directory: a home with the files that a section requires, and a key in the environment."""

    def __init__(self, folder: Path, client: ClusterClient, made: dict[str, str], title: str) -> None:
        self.folder = folder
        self._client = client
        self._text = section(title).replace("https://s3.example.com", client.gateway.address)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))}
        key = {"AWS_ACCESS_KEY_ID": made["accessKey"], "AWS_SECRET_ACCESS_KEY": made["secretKey"]}
        self._environment = {**inherited, **key, "HOME": str(folder), "PATH": f"/usr/bin:{os.environ['PATH']}"}
        (folder / "holiday.jpg").write_bytes(os.urandom(100_000))
        (folder / "pictures/2025").mkdir(parents=True)
        for name in ("one.jpg", "2025/two & more.jpg"):
            (folder / "pictures" / name).write_bytes(os.urandom(1000))
        for place, content in re.findall(r"`~/([^`]+)`:\n\n```ini\n(.*?)```", self._text, re.DOTALL):
            (folder / place).parent.mkdir(parents=True)
            (folder / place).write_text(content)

    async def run_command(self, *command: str) -> str:
        """The standard output."""
        run = asyncio.to_thread(
            subprocess.run,
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        done = await run
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    async def shell(self) -> str:
        (commands,) = blocks("sh", self._text)
        return await self.run_command("sh", "-eu", "-c", commands)

    async def python(self) -> str:
        (program,) = blocks("python", self._text)
        return await self.run_command(sys.executable, "-c", program)

    def is_downloaded(self, name: str) -> bool:
        return (self.folder / name).read_bytes() == (self.folder / "holiday.jpg").read_bytes()


@pytest.fixture
async def made(client: ClusterClient) -> dict[str, str]:
    return await create_key(client, await client.data())


async def test_boto3(client: ClusterClient, made: dict[str, str], tmp_path: Path) -> None:
    home = CustomerHome(tmp_path, client, made, "boto3")
    assert await home.python() == "2026/holiday.jpg 100000\n"
    assert home.is_downloaded("from-boto3.jpg")


@pytest.mark.skipif(ABSENT is not None, reason=ABSENT or "")
@pytest.mark.parametrize(
    ("title", "back"), [("AWS command line", "from-aws.jpg"), ("rclone", "from-rclone.jpg")], ids=["aws", "rclone"]
)
async def test_commands(client: ClusterClient, made: dict[str, str], tmp_path: Path, title: str, back: str) -> None:
    home = CustomerHome(tmp_path, client, made, title)
    printed = await home.shell()
    for name in ("2026/holiday.jpg", "pictures/one.jpg", "pictures/2025/two & more.jpg"):
        assert name in printed
    assert home.is_downloaded(back)


async def test_the_rotation(client: ClusterClient) -> None:
    data = await client.data()
    old = await create_key(client, data)
    api_key = await client.key(data.partner)
    named = {"$KEY": api_key, "284811845612": str(data.account), "TONNAGE4Q7Z0KX2M9RB1": old["accessKey"]}
    done: list[int] = []
    text = re.sub("|".join(map(re.escape, named)), lambda found: named[found[0]], section("Replace an access key"))
    for command in blocks(" *sh", text):
        program, _, method, *arguments, address = shlex.split(command)
        assert (program, address.startswith("https://tonnage.example.com/")) == ("curl", True)
        options = list(zip(arguments[::2], arguments[1::2], strict=True))
        headers = dict(value.split(": ") for name, value in options if name == "-H")
        content = next((value for name, value in options if name == "-d"), None)
        path = address.removeprefix("https://tonnage.example.com")
        done.append((await client.call(method, path, headers=headers, content=content)).status_code)
    assert done == [201, 204]
    (left,) = await list_keys(client, data)
    assert left["description"] == "Backup server"
