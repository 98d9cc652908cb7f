"""The address to serve on: taken first, so that a port in use is known before anything is started."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import click

_RECEIVE_BUFFER = 64 * 1024


@dataclass(frozen=True)
class Listener:
    """A bound socket that does not listen yet: until it does, clients are refused rather than left waiting."""

    socket: socket.socket
    host: str
    """Where a client on this machine reaches it."""
    port: int

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:8080`."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@contextmanager
def bound(host: str, port: int) -> Generator[Listener]:
    """Takes the address; port 0 is a free one. Raises click.ClickException when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise unavailable(host, port, error) from error
    with socket.socket(family, kind, protocol) as sock:
        # Else the connections of the last run, which the system remembers for a minute, keep the port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it. Bounds what the system and one read of ours keep for a client.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            sock.bind(address)
        except OSError as error:
            raise unavailable(host, port, error) from error
        name: str = sock.getsockname()[0]
        taken: int = sock.getsockname()[1]
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104  recognised, not bound to
        yield Listener(sock, local, taken)


def unavailable(host: str, port: int, error: OSError) -> click.ClickException:
    """The sentence for an address that cannot be had."""
    return click.ClickException(f"Port {port} of {host} cannot be used: {error.strerror}. Choose another with --port.")
