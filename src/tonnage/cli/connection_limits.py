"""How many connections one client may have, and all of them together."""

import logging
import resource
import time
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

from tonnage.web.proxy_headers import Networks

_log = logging.getLogger(__name__)

_LOG_SECONDS = 60
"""One line in this time: a flood must not fill the log."""

_MOST_LINGERING = 64
"""Connections that are open only so that their refusal is read. Further ones are closed at once."""

RESERVED_FILES = 512
"""Files for everything else: the database, clusters, connections that are being refused or not yet accepted."""

_FEWEST = 64

_CLIENT_FULL = "Too many connections from your address. Close some, and try again in a few seconds."
_SERVER_FULL = "The server has no free connections. Try again in a few seconds."


class Refused(Exception):
    """There is no place for one more connection."""

    def __init__(self, detail: str, *, may_linger: bool) -> None:
        super().__init__(detail)
        self.detail = detail
        self.may_linger = may_linger
        """Whether the connection may stay open until the client has read the response."""


class ClientConnectionLimits:
    """Counts the connections of one process.

    `exempt`: trusted proxies. Their connections carry the requests of many clients, so only the total limits them.
    """

    def __init__(self, most: int, per_client: int, exempt: Networks = ()) -> None:
        self._most = most
        self._per_client = per_client
        self._exempt = exempt
        self._open = 0
        self._by_client: Counter[str] = Counter()
        self._turned_away = 0
        self._unlogged = 0
        self._logged_at = -float(_LOG_SECONDS)

    def enter(self, address: str) -> str:
        """Counts a new connection from `address`. Returns what `leave` needs. Raises Refused, and counts it as such."""
        client = self._client(address)
        if client and self._by_client[client] >= self._per_client:
            self._refuse(_CLIENT_FULL, f"{client} already has {self._per_client}")
        if self._open >= self._most:
            self._refuse(_SERVER_FULL, f"{self._open} are open")
        self._open += 1
        if client:
            self._by_client[client] += 1
        return client

    def leave(self, client: str | None) -> None:
        """Uncounts a connection that has ended; None: it was refused."""
        if client is None:
            self._turned_away -= 1
            return
        self._open -= 1
        if client:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]  # nothing is kept in memory for others

    def _client(self, address: str) -> str:
        """What is counted as one client: an IPv4 address, or a /48 of IPv6. Empty for a trusted proxy."""
        try:
            read = ip_address(address.partition("%")[0])
        except ValueError:
            return address
        if isinstance(read, IPv6Address):
            read = read.ipv4_mapped or read
        if any(read in network for network in self._exempt):
            return ""
        return str(ip_network((read, 48), strict=False)) if isinstance(read, IPv6Address) else str(read)

    def _refuse(self, detail: str, reason: str) -> None:
        self._turned_away += 1
        self._unlogged += 1
        now = time.monotonic()
        if now - self._logged_at >= _LOG_SECONDS:
            _log.warning("refused %d connections with 503: %s", self._unlogged, reason)
            self._logged_at, self._unlogged = now, 0
        raise Refused(detail, may_linger=self._turned_away <= _MOST_LINGERING)


def raise_file_limit() -> int:
    """Lets this process open as many files as the system permits; returns how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def most_connections(wanted: int, files: int) -> int:
    """`wanted`, or as many as a process with that many files can have. Logs a warning if these are fewer."""
    possible = max(_FEWEST, files - RESERVED_FILES)
    if possible < wanted:
        _log.warning(
            "no more than %d connections instead of %d: raise the limit of open files, which is %d",
            possible,
            wanted,
            files,
        )
    return min(wanted, possible)
