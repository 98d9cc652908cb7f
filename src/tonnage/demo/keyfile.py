"""`demo.json`: the keys and passwords of the sample data, for people and scripts. Only its owner can read it."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True)
class LoginEntry:
    """A member who can sign in. `organisation` is the organisation's name."""

    email: str
    password: str
    organisation: str
    role: str


@dataclass(frozen=True)
class KeyFile:
    """What the file holds. `base_url` is where the API is, ending in `/v1`."""

    base_url: str
    keys: dict[str, str]
    members: list[LoginEntry]


_CONTENT = TypeAdapter(KeyFile)


def path_in(data_dir: Path) -> Path:
    """Where the file is."""
    return data_dir / "demo.json"


def read(data_dir: Path) -> KeyFile | None:
    """What the file holds; None when there is none, or another than `write` makes. OSError: it may not be read."""
    try:
        return _CONTENT.validate_json(path_in(data_dir).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(data_dir: Path, content: KeyFile) -> None:
    """Puts `content` in the file's place, whole or not at all, even with the power going off. Raises OSError."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made for its owner alone under a name that nobody can have prepared, so no link is followed.
    descriptor, draft = tempfile.mkstemp(prefix="demo.json.", dir=data_dir)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(content), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path_in(data_dir))
    except BaseException:
        os.unlink(draft)
        raise
    folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
