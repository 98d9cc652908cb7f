"""The file of `tonnage audit export`."""

import json
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cast import NOW
from tonnage.access.audit_file import AuditFileError, FileContents, head_line, public_key_hex, signing_key, verify_lines

KEY, INSTALLATION = signing_key(bytes(range(32))), UUID(int=7)
TEXTS = [
    (1, '{"position": 1, "organisationId": "a", "after": {"name": "Ä"}}'),
    (2, '{"position": 2, "organisationId": "b", "after": 1.50}'),
    (3, '{"position": 3, "organisationId": "a", "after": null}'),
    (4, '{"position": 4, "organisationId": "a", "after": null}'),
]


def entry_lines(texts: Sequence[tuple[int, str]] = TEXTS) -> list[bytes]:
    previous: dict[str, bytes] = {}
    lines: list[bytes] = []
    for _, text in texts:
        organisation = json.loads(text)["organisationId"]
        previous[organisation] = sha256(previous.get(organisation, b"") + text.encode()).digest()
        lines.append(f'{{"digest": "{previous[organisation].hex()}", "entry": {text}}}\n'.encode())
    return lines


def signed(
    lines: list[bytes],
    texts: Sequence[tuple[int, str]] = TEXTS,
    *,
    key: Ed25519PrivateKey = KEY,
    of: UUID | None = None,
) -> list[bytes]:
    contents = FileContents()
    for line, (position, _) in zip(lines, texts, strict=True):
        contents.add(line, position)
    return [*lines, head_line(contents, key, INSTALLATION, of, NOW)]


def refusal(lines: list[bytes]) -> str:
    with pytest.raises(AuditFileError) as caught:
        verify_lines(lines)
    return str(caught.value)


def test_a_file_as_it_was_written_fits() -> None:
    verified = verify_lines(signed(entry_lines()))
    assert verified.public_key == public_key_hex(KEY.public_key())
    assert verified.head["installation"] == str(INSTALLATION)
    assert (verified.head["entries"], verified.head["position"]) == (4, 4)
    assert verify_lines(signed([], [])).head["entries"] == 0


def test_each_changed_byte_is_found() -> None:
    whole = b"".join(signed(entry_lines()))
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(AuditFileError):
            verify_lines(changed.splitlines(keepends=True))


def test_each_removed_or_doubled_or_moved_line_is_found() -> None:
    lines = signed(entry_lines())
    for at in range(len(lines)):
        refusal(lines[:at] + lines[at + 1 :])
        refusal([*lines[: at + 1], *lines[at:]])
    assert "ends without a signed head" in refusal(lines[:-1])
    assert "after the signed head" in refusal([*lines, lines[0]])
    refusal([lines[1], lines[0], *lines[2:]])


def test_a_signed_file_with_a_hole_or_in_another_order_is_refused() -> None:
    hole = [TEXTS[0], *TEXTS[2:]]
    assert "Line 2: entries before this one are missing" in refusal(signed(entry_lines(hole), hole))
    # A file of one organisation has only its positions.
    verify_lines(signed(entry_lines(hole), hole, of=UUID(int=1)))
    turned = [TEXTS[1], TEXTS[0]]
    assert "stands behind position 2" in refusal(signed(entry_lines(turned), turned, of=UUID(int=1)))


def test_the_first_entry_that_does_not_fit_is_named() -> None:
    lines = signed(entry_lines())
    lines[2] = lines[2].replace(b"null", b"true")
    assert refusal(lines) == (
        "Line 3: position 3 of organisation a does not fit: the entry or one before it was changed or removed."
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"\xff\n",
        b'{"digest": "' + b"0" * 64 + b'", "entry": {"position": 1}}\n',
        b'{"digest": "' + b"0" * 64 + b'", "entry": {"position": true, "organisationId": "a"}}\n',
        b'{"digest": "' + b"0" * 64 + b'", "entry": {\xff}}\n',
        b'{"digest": "' + b"0" * 64 + b'", "entry": ' + b'{"a": ' * 100_000 + b"}" * 100_000 + b"}\n",
        b'{"head": {"entries": '
        + b"9" * 10_000
        + b'}, "publicKey": "'
        + b"0" * 64
        + b'", "signature": "'
        + b"0" * 128
        + b'"}\n',
        b'{"head": {}, "publicKey": "' + b"f" * 64 + b'", "signature": "' + b"0" * 128 + b'"}\n',
    ],
)
def test_anything_else_is_refused_in_a_sentence(line: bytes) -> None:
    assert refusal([line]).startswith("Line 1: ")


def test_a_head_that_another_key_signed_has_that_key() -> None:
    other = signing_key(bytes(32))
    assert verify_lines(signed(entry_lines(), key=other)).public_key == public_key_hex(other.public_key())
