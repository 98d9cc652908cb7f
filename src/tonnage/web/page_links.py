"""Links to the next page of a list of the API (RFC 8288), and the cursors in them.

A cursor is encrypted, because the `seq` in it counts the rows of all organisations: two of them would reveal how many
partners a competitor creates in a month. Its encryption is authenticated (AES-SIV, RFC 5297), with the list and the
organisation as associated data: so what is no cursor of this list is recognised. Without a nonce, equal places have
equal cursors.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from starlette.types import Scope

from tonnage.web.origin import origin_of
from tonnage.web.stream_limits import authenticated_request

_FORM = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
"""8 bytes and an authentication tag of 16, in base64."""


def next_link(scope: Scope, **changed: object) -> str:
    """A Link header to the present address with some of its query parameters changed; the others stay."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in query if name not in changed]
    page = urlencode([*kept, *changed.items()])
    return f'<{origin_of(scope)}{quote(scope["path"])}?{page}>; rel="next"'


class NextPageLinks:
    """`app.state.page_links`. `fetch_key` fetches the key of 32 bytes when it is first needed: the database may be away
    when a process starts.
    """

    def __init__(self, fetch_key: Callable[[], Awaitable[bytes]]) -> None:
        self._fetch_key = fetch_key
        self._cipher: AESSIV | None = None

    async def next_page(self, scope: Scope, limit: int, seq: int) -> str:
        """A Link header for the elements after `seq`; other query parameters stay."""
        cursor = (await self._key()).encrypt(seq.to_bytes(8), _list_of(scope))
        return next_link(scope, limit=limit, cursor=base64.urlsafe_b64encode(cursor).decode())

    async def position(self, scope: Scope, cursor: str) -> int:
        """The `seq` in a cursor. Raises ValueError unless it is one of this list, for this organisation."""
        if not _FORM.fullmatch(cursor):
            raise ValueError(cursor)
        try:
            seq = (await self._key()).decrypt(base64.urlsafe_b64decode(cursor), _list_of(scope))
        except InvalidTag:
            raise ValueError(cursor) from None
        return int.from_bytes(seq)

    async def _key(self) -> AESSIV:
        if self._cipher is None:
            self._cipher = AESSIV(await self._fetch_key())
        return self._cipher


def _list_of(scope: Scope) -> list[bytes]:
    caller = authenticated_request(scope)
    # The ids in a path may be written in capitals.
    return [scope["path"].lower().encode(), str(caller.actor.organisation_id if caller else "").encode()]
