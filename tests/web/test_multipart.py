"""Forms with files, as browsers send them, and what only looks like one."""

import base64

import httpx
import pytest

from tonnage.web.multipart import parse_multipart

KIND = "multipart/form-data; boundary=----x"


def part(head: str, content: bytes = b"1") -> bytes:
    return b"------x\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


FIELD = 'Content-Disposition: form-data; name="a"'
END = b"------x--\r\n"


def test_a_form_as_a_client_sends_it() -> None:
    picture = bytes(range(256)) * 100 + b"\r\n--"
    request = httpx.Request(
        "POST", "http://t", data={"csrf": "é", "empty": ""}, files={"logo": ("a.png", picture, "image/png")}
    )
    request.read()
    assert parse_multipart(request.headers["content-type"], request.content) == {
        "csrf": "é",
        "empty": "",
        "logo": f"data:;base64,{base64.b64encode(picture).decode()}",
    }


def test_no_file_chosen_is_an_empty_text() -> None:
    body = part('Content-Disposition: form-data; name="a"; filename=""\r\nContent-Type: application/octet-stream', b"")
    assert parse_multipart(KIND, body + END) == {"a": ""}
    assert parse_multipart('multipart/form-data; boundary="----x"', part(FIELD) + END) == {"a": "1"}


@pytest.mark.parametrize(("kind", "body"), [
    ("multipart/form-data", part(FIELD) + END),
    ("multipart/form-data; boundary=" + "x" * 71, part(FIELD) + END),
    (KIND, b""),
    (KIND, part(FIELD)),
    (KIND, END),
    (KIND, b"preamble\r\n" + part(FIELD) + END),
    (KIND, part(FIELD).replace(b"\r\n", b"\n") + END),
    (KIND, part("Content-Disposition: attachment") + END),
    (KIND, part("Content-Type: multipart/mixed; boundary=y") + END),
    (KIND, part(FIELD + "\r\nX: " + "x" * 3000) + END),
    (KIND, part(FIELD, b"\xff") + END),
    (KIND, part(FIELD) * 51 + END),
    (KIND, b"------x\r\n" * 100_000),
])  # fmt: skip
def test_what_is_no_form(kind: str, body: bytes) -> None:
    if kind == KIND and body == END:
        assert parse_multipart(kind, body) == {}
        return
    with pytest.raises(ValueError):  # noqa: PT011  the page has one sentence for all
        parse_multipart(kind, body)
