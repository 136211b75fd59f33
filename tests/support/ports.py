"""Free loopback ports."""

import errno
import secrets
import socket

_LOWEST, _HIGHEST = 10_000, 32_767
"""Below Linux's range for outgoing connections (``ip_local_port_range``, from 32768 on): no
connection of the tests can take the port between its being found and its being listened on."""


def find_free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
