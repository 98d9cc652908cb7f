"""The file of `tonnage audit export`: a line per entry, and a signed head as the last line.

A line is `{"digest": "…", "entry": {…}}`. If the address and the id of the entry's request are still kept, it has
`"client": {…}` between the two, which is not under the digest. The digest is the SHA-256, in hexadecimal digits, of the
previous digest of the entry's organisation (32 bytes; none before its first entry) and then the text of `entry`,
byte for byte as it is in the line. Where older entries were dropped, the file begins with a line for each of their
organisations, `{"dropped": {"organisationId": "…", "position": …, "digest": "…"}}`: the last position and digest that
were dropped, which the organisation's next entry continues. The head says what the file contains, and has the SHA-256
of all lines before it. The signature is over the text of `head`, byte for byte too. So a file can be verified without
the database, and without Tonnage.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PURPOSE = b"tonnage audit export"
"""What the signing key is derived for, from the keys of the instance."""

_LINE = re.compile(rb'\{"digest": "([0-9a-f]{64})", (?:"client": \{[^{}]*\}, )?"entry": (\{.*\})\}\n')
_DROPPED = re.compile(rb'\{"dropped": (\{.*\})\}\n')
_HEAD = re.compile(rb'\{"head": (\{.*\}), "publicKey": "([0-9a-f]{64})", "signature": "([0-9a-f]{128})"\}\n')


class AuditFileError(Exception):
    """What is wrong with a file, and in which line."""


@dataclass
class FileContents:
    """The lines so far."""

    entries: int = 0
    position: int = 0
    """Of the last entry."""
    digest: Any = field(default_factory=sha256)

    def add(self, line: bytes, position: int) -> None:
        """Counts a line, which ends with a line feed."""
        self.entries += 1
        self.add_dropped(line, position)

    def add_dropped(self, line: bytes, position: int) -> None:
        """Counts a line about dropped entries."""
        self.position = position
        self.digest.update(line)

    def as_json(self) -> dict[str, Any]:
        """What the head says of them."""
        return {"entries": self.entries, "position": self.position, "sha256": self.digest.hexdigest()}


@dataclass(frozen=True)
class VerifiedFile:
    """A file that fits."""

    head: dict[str, Any]
    public_key: str


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """The key of an instance, from 32 secret bytes."""
    return Ed25519PrivateKey.from_private_bytes(secret)


def public_key_hex(key: Ed25519PublicKey) -> str:
    """A public key as hexadecimal digits."""
    return key.public_bytes_raw().hex()


def head_line(
    contents: FileContents, key: Ed25519PrivateKey, installation: UUID, organisation: UUID | None, now: datetime
) -> bytes:
    """The last line. `organisation`: whose entries the file has; None for those of all."""
    head = json.dumps(
        {
            "at": now.isoformat(timespec="seconds"),
            "installation": str(installation),
            "organisationId": None if organisation is None else str(organisation),
            **contents.as_json(),
        }
    )
    signature = key.sign(head.encode()).hex()
    public_key = public_key_hex(key.public_key())
    return f'{{"head": {head}, "publicKey": "{public_key}", "signature": "{signature}"}}\n'.encode()


def verify_lines(lines: Iterable[bytes]) -> VerifiedFile:
    """Verifies a file, line by line. Whether the public key is the instance's is for the caller to compare."""
    contents, previous = FileContents(), dict[str, bytes]()
    positions_missing: int | None = None
    found: VerifiedFile | None = None
    for number, line in enumerate(lines, 1):
        if found is not None:
            raise AuditFileError(f"Line {number}: something stands after the signed head.")
        if matched := _LINE.fullmatch(line):
            position = _verify_entry(number, matched[1], matched[2], contents.position, previous)
            if position != contents.position + 1 and positions_missing is None:
                positions_missing = number
            contents.add(line, position)
        elif contents.entries == 0 and (matched := _DROPPED.fullmatch(line)):
            contents.add_dropped(line, _verify_dropped(number, matched[1], contents.position, previous))
        elif matched := _HEAD.fullmatch(line):
            found = _verify_head(number, *matched.groups(), contents=contents)
        else:
            raise AuditFileError(f"Line {number}: this is neither an entry nor a signed head.")
    if found is None:
        raise AuditFileError("The file ends without a signed head.")
    if found.head.get("organisationId") is None and positions_missing is not None:
        raise AuditFileError(f"Line {positions_missing}: entries before this one are missing.")
    return found


def _verify_entry(number: int, digest: bytes, text: bytes, after: int, previous: dict[str, bytes]) -> int:
    """Returns the entry's position."""
    entry = _parsed(number, text)
    organisation, position = entry.get("organisationId"), entry.get("position")
    if not isinstance(organisation, str) or type(position) is not int:
        raise AuditFileError(f"Line {number}: the entry has no organisation or no position.")
    where = f"Line {number}: position {position} of organisation {organisation}"
    expected = sha256(previous.get(organisation, b"") + text).digest()
    if expected.hex().encode() != digest:
        raise AuditFileError(f"{where} does not fit: the entry or one before it was changed or removed.")
    if position <= after:
        raise AuditFileError(f"{where} stands behind position {after}.")
    previous[organisation] = expected
    return position


def _verify_dropped(number: int, text: bytes, after: int, previous: dict[str, bytes]) -> int:
    """Returns the last position that was dropped."""
    dropped = _parsed(number, text)
    organisation, position, digest = (dropped.get(name) for name in ("organisationId", "position", "digest"))
    if not isinstance(organisation, str) or type(position) is not int or not isinstance(digest, str):
        raise AuditFileError(f"Line {number}: the dropped entries have no organisation, position or digest.")
    if position <= after:
        raise AuditFileError(f"Line {number}: position {position} stands behind position {after}.")
    try:
        previous[organisation] = bytes.fromhex(digest)
    except ValueError:
        raise AuditFileError(f"Line {number}: the digest is not one.") from None
    return position


def _verify_head(number: int, text: bytes, key: bytes, signature: bytes, *, contents: FileContents) -> VerifiedFile:
    head = _parsed(number, text)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.decode())).verify(bytes.fromhex(signature.decode()), text)
    except (InvalidSignature, ValueError):
        raise AuditFileError(f"Line {number}: the signature does not fit the head.") from None
    if any(head.get(name) != value for name, value in contents.as_json().items()):
        raise AuditFileError(f"Line {number}: the head is that of other entries: some were added or removed.")
    return VerifiedFile(head, key.decode())


def _parsed(number: int, text: bytes) -> dict[str, Any]:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise AuditFileError(f"Line {number}: this is not JSON.") from None
    if not isinstance(value, dict):
        raise AuditFileError(f"Line {number}: this is not JSON.")
    return cast("dict[str, Any]", value)
