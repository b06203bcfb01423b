"""First looks at a loopback port: whether it is free, what it answers, which protocol it speaks."""

from __future__ import annotations

import http.client
import socket

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # RFC 9113, 4.1 and 6.5
TYPE_AT, HEAD_BYTES, SETTINGS = 3, 9, 4


def free_port() -> int:
    """Return a loopback port that nothing listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answer(port: int, host: str, address: str = "127.0.0.1") -> bytes:
    """Return the body of a 200; b"" for any other answer, or none."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        response = connection.getresponse()
        body = response.read()
        return body if response.status == 200 else b""
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def speaks_h2c(port: int, wait_s: float = 2.0) -> bool:
    """Tell whether the port answers the preface with SETTINGS, as RFC 9113, 3.4 asks."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
            connection.sendall(PREFACE + EMPTY_SETTINGS)
            said = b""
            while len(said) < HEAD_BYTES:
                data = connection.recv(4096)
                if not data:
                    return False
                said += data
    except OSError:
        return False
    return said[TYPE_AT] == SETTINGS
