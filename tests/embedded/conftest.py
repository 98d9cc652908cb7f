import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tonnage.embedded import serve

Holder = Callable[[Path], "subprocess.Popen[str]"]

HOLDER = """
import sys
from pathlib import Path
from tonnage.embedded import serve
with serve(Path(sys.argv[1])) as (_, url):
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A data directory and the URL of its running server, for tests that change neither."""
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with serve(data_dir, durable=False) as (_, url):
        yield data_dir, url


@contextmanager
def _process(data_dir: Path) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLDER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def hold() -> Iterator[Holder]:
    """Serves a directory from another process, until its standard input is closed; its first line is the URL."""
    with ExitStack() as stack:
        yield lambda data_dir: stack.enter_context(_process(data_dir))
