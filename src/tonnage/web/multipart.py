"""Forms with files (RFC 7578), as browsers send them: parts between lines of a boundary, each with its name.

Split by the boundary and nothing else: parts of parts, other encodings and long headers are refused by that.
"""

import base64
import re
from collections.abc import Iterator

_MOST_PARTS = 50
"""With the end of the form."""
_BOUNDARY = re.compile(r"""boundary="?([A-Za-z0-9'()+_,\-./:=?]{1,70})"?\s*(?:;|$)""", re.ASCII)
_NAME = re.compile(
    rb"""content-disposition:\s*form-data;\s*name="([^"\r\n]{1,100})"(;\s*filename\*?=)?""", re.IGNORECASE
)
_LONGEST_HEAD = 2000


def parse_multipart(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form; a file as a data URL in base64, without its name and type, or "" if none was chosen.
    Raises ValueError.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ValueError("no boundary")
    return dict(_fields(b"--" + boundary[1].encode(), body))


def _fields(separator: bytes, body: bytes) -> Iterator[tuple[str, str]]:
    first, *parts = (b"\r\n" + body).split(b"\r\n" + separator, _MOST_PARTS)
    if first or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("not a form, or too many fields")
    for part in parts[:-1]:
        head, empty_line, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head) if len(head) <= _LONGEST_HEAD else None
        if not empty_line or name is None:
            raise ValueError("a part is no field")
        yield name[1].decode(), _file(content) if name[2] else content.decode()


def _file(content: bytes) -> str:
    return f"data:;base64,{base64.b64encode(content).decode()}" if content else ""
