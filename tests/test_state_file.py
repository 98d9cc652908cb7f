"""The file in the data directory: it only grows, and what cannot be read is not thrown away."""

import logging
from pathlib import Path
from uuid import UUID

import pytest

from tonnage.state_file import State, StateFile

INSTALLATION = UUID(int=7)


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path, INSTALLATION)


def test_without_a_file_nothing_is_known(file: StateFile) -> None:
    assert file.read() == State()


def test_the_content_only_grows(file: StateFile) -> None:
    file.add(9, [("api-key", "1")])
    file.add(3, [("member", "2")])
    assert file.read() == State(9, frozenset({("api-key", "1"), ("member", "2")}))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b"{}", b'{"epoch": 1}', b'{"epoch": "x", "revoked": []}']
)
def test_a_damaged_file_is_reported_and_kept(
    file: StateFile, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    damaged = tmp_path / f"installation-{INSTALLATION}.json"
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match=r"\S"):
        file.read()
    file.add(4)
    assert file.read() == State(4)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert str(damaged) in record.getMessage()
    assert damaged.with_suffix(".damaged").read_bytes() == content
