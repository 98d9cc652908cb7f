"""Ports for programs that cannot choose a free one themselves."""

import contextlib
import random
import socket


def free_port() -> int:
    """A port below the kernel's range for outgoing connections, so that no connection takes it in between."""
    while True:
        port = random.randint(10000, 29999)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
