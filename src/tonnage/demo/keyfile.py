"""`demo.json`: the keys and passwords of the sample data, for people and scripts. Only its owner can read it."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tonnage.private_files import give_to_owner_of


@dataclass(frozen=True)
class LoginEntry:
    """A member who can sign in. `organisation` is the organisation's name."""

    email: str
    password: str
    organisation: str
    role: str


@dataclass(frozen=True)
class KeyFile:
    """The content of the file. `base_url` is the address of the API, ending in `/v1`."""

    base_url: str
    keys: dict[str, str]
    members: list[LoginEntry]


_CONTENT = TypeAdapter(KeyFile)


def path_in(data_dir: Path) -> Path:
    """The path of the file."""
    return data_dir / "demo.json"


def read(data_dir: Path) -> KeyFile | None:
    """The content of the file; None if there is none, or if its format is not that of `write`. OSError: it cannot be
    read.
    """
    try:
        return _CONTENT.validate_json(path_in(data_dir).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(data_dir: Path, content: KeyFile) -> None:
    """Replaces the file by `content`, completely or not at all, even in a power cut. Raises OSError."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Created for its owner only, under an unpredictable name, so no link is followed.
    descriptor, draft = tempfile.mkstemp(prefix="demo.json.", dir=data_dir)
    try:
        give_to_owner_of(data_dir, descriptor)
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
