"""What root starts continues as the system user `tonnage`, where that user can go on with it."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")

# The interpreter and this checkout may be below /root: the script has imported everything before.
START = """
import os, sys
from pathlib import Path
from uuid import UUID
import psycopg
import tonnage
from tonnage import embedded
from tonnage.cli.privileges import drop_privileges
from tonnage.config import Settings
from tonnage.state_file import StateFile

sys.base_prefix = sys.prefix = tonnage.__file__ = "/usr"
data = Path(sys.argv[1])
with embedded.serve(data, durable=False) as urls:
    drop_privileges(Settings(data_dir=data))
    print(*os.getresuid(), *os.getresgid(), os.getgroups())
    with psycopg.connect(urls.program) as conn:
        print(conn.execute("select current_user::text").fetchone()[0])
    StateFile(data, UUID(int=1)).add(1)
    print(os.access("/etc/shadow", os.R_OK, effective_ids=True))
print(sorted(path.name for path in data.iterdir()))
"""


def started(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", START, data], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def open_folder() -> Generator[Path]:
    """Every user can enter it, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="tonnage-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_server_that_root_starts_becomes_another_user(open_folder: Path) -> None:
    for done in (started(open_folder / "data"), started(open_folder / "data")):
        user = pwd.getpwnam("tonnage")
        uid, gid = user.pw_uid, user.pw_gid
        assert done.stdout.splitlines()[:3] == [
            f"{uid} {uid} {uid} {gid} {gid} {gid} []",
            "tonnage_app",
            "False",
        ], done.stderr
        assert done.returncode == 0
        assert done.stderr == ""
    assert {path.owner() for path in (open_folder / "data").rglob("*")} == {"tonnage"}


def test_it_stays_root_where_that_user_could_not_read_the_data(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = started(closed / "data")
    assert done.stdout.splitlines()[0].startswith("0 0 0 0 0 0 [")
    assert f"This process stays root: the user tonnage cannot use {closed / 'data'}." in done.stderr


ELSEWHERE = """
import os, sys
from pathlib import Path
import tonnage
from tonnage.cli.privileges import drop_privileges
from tonnage.config import Settings

sys.base_prefix = sys.prefix = tonnage.__file__ = "/usr"
drop_privileges(Settings(data_dir=Path(sys.argv[1]), database_url="postgresql://db.example.org/tonnage"))
print(os.geteuid())
"""


def elsewhere(data: Path) -> subprocess.CompletedProcess[str]:
    """With a database elsewhere, for which nothing else has looked at the directory."""
    return subprocess.run([sys.executable, "-c", ELSEWHERE, data], capture_output=True, text=True, check=True)


def test_a_folder_of_other_files_keeps_its_owner_and_mode(open_folder: Path) -> None:
    (open_folder / "photos").mkdir()
    done = elsewhere(open_folder)
    assert done.stdout == "0\n"
    assert f"the user tonnage cannot use {open_folder}." in done.stderr
    assert (open_folder.owner(), open_folder.stat().st_mode & 0o777) == ("root", 0o755)


def test_the_data_directory_beside_a_database_elsewhere_goes_with_it(open_folder: Path) -> None:
    data = open_folder / "data"
    uid = f"{pwd.getpwnam('tonnage').pw_uid}\n"
    assert elsewhere(data).stdout == uid  # creates it
    os.chown(data, 0, 0)
    (data / "installation.json").touch(mode=0o600)
    assert elsewhere(data).stdout == uid
    assert {data.owner(), (data / "installation.json").owner()} == {"tonnage"}


def test_files_that_root_adds_later_belong_to_the_servers_user(open_folder: Path) -> None:
    data = open_folder / "data"
    assert started(data).returncode == 0
    (data / "installation-00000000-0000-0000-0000-000000000001.json").unlink()
    add = "from tonnage.state_file import *; StateFile(Path(sys.argv[1]), UUID(int=1)).add(2)"
    subprocess.run([sys.executable, "-c", f"import sys; from uuid import UUID; {add}", data], check=True)
    assert len({path.stat().st_uid for path in data.iterdir()}) == 1
