"""`demo.json` and `sandbox.json`: keys and passwords that a start has made, for people and scripts. Only the owner of
such a file can read it.
"""

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


def read(path: Path) -> KeyFile | None:
    """The content of the file; None if there is none, or if its format is not that of `write`. OSError: it cannot be
    read.
    """
    try:
        return _CONTENT.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(path: Path, content: KeyFile) -> None:
    """Replaces the file by `content`, completely or not at all, even in a power cut. Raises OSError."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Created for its owner only, under an unpredictable name, so no link is followed.
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=folder)
    try:
        give_to_owner_of(folder, descriptor)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(content), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
