"""Credentials from a file."""

import io
import os
from pathlib import Path

import click
import pytest

from tonnage.cli.secret_input import read_key_pair

OPTION = "--credentials-file"


def given(path: Path, content: str, mode: int) -> tuple[str, str]:
    path.write_text(content)
    path.chmod(mode)
    with path.open("rb") as file:
        return read_key_pair(file, OPTION)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_may_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, warned: bool
) -> None:
    assert given(tmp_path / "admin", "KEY\nSECRET\n", mode) == ("KEY", "SECRET")
    shown = capsys.readouterr()
    assert (shown.out, str(tmp_path / "admin") in shown.err, "chmod 600" in shown.err) == ("", warned, warned)
    assert "SECRET" not in shown.err


def test_a_pipe_causes_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"KEY SECRET\n")
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert read_key_pair(pipe, OPTION) == ("KEY", "SECRET")
    assert read_key_pair(io.BytesIO(b"KEY SECRET"), OPTION) == ("KEY", "SECRET")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("rest", [" " * 6000 + "THIRD", " " * 4096, "\nTHIRD"])
def test_no_further_content_is_permitted(tmp_path: Path, rest: str) -> None:
    with pytest.raises(click.UsageError, match="an access key on the first line") as refused:
        given(tmp_path / "admin", "KEY SECRET" + rest, 0o600)
    assert "THIRD" not in str(refused.value)
