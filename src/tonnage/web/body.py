"""Reads JSON bodies: in full, at most 1 MiB, and strictly by RFC 8259."""

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from tonnage.error_codes import RequestCode
from tonnage.errors import Malformed

MAX_BODY = 1024 * 1024
"""Bytes."""

_JSON = re.compile(r"\s*application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.ASCII)
_NOT_JSON = "The body must be JSON. Send it with the header Content-Type: application/json."
_CODED = "The body must not be compressed. Send it as it is, without the header Content-Encoding."

MAX_EXACT = 2**53
"""The largest whole number that is accepted with a point or an exponent. Beyond it, languages whose numbers are all
floating-point write another number than they were given.
"""


class JsonRequest(Request):
    """A request whose body was read and parsed by our rules. FastAPI asks for the body again and gets the result."""

    _raw: bytes
    _parsed: Any

    @classmethod
    async def read(cls, request: Request) -> "JsonRequest":
        """Raises 415 and 413 as HTTPException, Malformed for an empty body or one that is no JSON, ClientDisconnect."""
        media_type = request.headers.get("content-type")
        if media_type is not None and not _JSON.fullmatch(media_type):
            raise HTTPException(415, _NOT_JSON)
        if media_type is None and _announces_body(request):
            raise HTTPException(415, _NOT_JSON)
        read = cls(request.scope, request.receive)
        read._raw = await limited(request)
        read._parsed = parse(read._raw)
        return read

    async def body(self) -> bytes:
        """The raw body."""
        return self._raw

    async def json(self) -> Any:
        """The value that `parse` returned."""
        return self._parsed


def parse(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    A whole number may have a point or an exponent, up to 2^53: `5e12` is one to languages with one type of number.

    Raises Malformed, with the position, for anything else; for NaN and Infinity; for a name that occurs twice in one
    object (RFC 8259 leaves its meaning open: two parsers may differ); and for what Python cannot represent: deep
    nesting, huge integers.
    """
    if not raw.strip():
        raise Malformed("The body is empty. Send a JSON object.", RequestCode.MALFORMED_BODY)
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed(
            f"The body is not valid JSON: the byte at position {error.start} is not UTF-8.", RequestCode.MALFORMED_BODY
        ) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"The body is not valid JSON at {place}: {error.msg}.", RequestCode.MALFORMED_BODY) from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.", RequestCode.MALFORMED_BODY) from None
    except ValueError:  # int() refuses thousands of digits
        raise Malformed("The body has a number with too many digits.", RequestCode.MALFORMED_BODY) from None


def _no_constant(_: str) -> NoReturn:
    raise Malformed("The body is not valid JSON: JSON has no NaN or Infinity.", RequestCode.MALFORMED_BODY)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed(
            "The body has the same name twice in one object. Send each name once.", RequestCode.MALFORMED_BODY
        )
    return members


def _number(literal: str) -> int | float:
    number = float(literal)
    if abs(number) <= MAX_EXACT and number.is_integer():
        # The float may be a rounded one. InvalidOperation: an exponent beyond any decimal.
        with suppress(InvalidOperation):
            return int(number) if Decimal(literal) == number else number
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_number, object_pairs_hook=_unique)


def _announces_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _require_uncoded(request: Request) -> None:
    codings = ",".join(request.headers.getlist("content-encoding")).split(",")
    if any(coding.strip().lower() not in {"", "identity"} for coding in codings):
        raise HTTPException(415, _CODED, {"Accept-Encoding": "identity"})


async def limited(request: Request, most: int = MAX_BODY) -> bytes:
    """Returns the whole body. Raises as HTTPException 415 for a compressed one and 413 for one over `most` bytes;
    ClientDisconnect.

    Starlette's middleware counts the bytes. It is used here around the reading alone. Around the application it would
    answer a request whose Content-Length is too large with a plain text 413, before the application answers; clients
    without authentication must get a 401.
    """
    _require_uncoded(request)
    body = b""

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal body
        body = await Request(scope, receive).body()

    async def refuse(message: Message) -> None:
        raise HTTPException(413, f"The body is larger than {most} bytes. Send a smaller one.")

    await RequestBodyLimitMiddleware(read, most)(request.scope, request.receive, refuse)
    return body
