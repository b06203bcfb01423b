"""What the app is told by its environment, and the replies that follow from it. Pure.

- `PORT`: where to listen, 8080 when absent.
- `TARGET`: `Hello $TARGET!` instead of `Hello World!`.
- `DELAY_MS`: every answer takes that long.
- `FAIL`: one of the failures a release may bring:
  - `bad`: 500 on every request;
  - `slow`: every answer takes DELAY_MS, or 500 ms;
  - `slow-start`: listens only after START_DELAY_MS, or 2000 ms;
  - `crash`: says why on stderr and exits with 1 before it listens;
  - `never-ready`: runs, and never listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

FAILURES = ("bad", "slow", "slow-start", "crash", "never-ready")

SLOW_MS = 500
SLOW_START_MS = 2000
DELAY_MS_MAX = 3_600_000
_PORT_MAX = 65535


class BadEnvironment(Exception):
    """A variable has a value that the app cannot use."""


@dataclass(frozen=True)
class Behaviour:
    """How this copy behaves, from its first moment on."""

    port: int
    greeting: bytes
    status: str
    delay_s: float
    start_delay_s: float
    crashes: bool
    listens: bool

    def head(self, status: str, length: int, now_s: float) -> bytes:
        """Return a reply's head without its last line; `now_s` is the wall's, for Date."""
        return (
            f"HTTP/1.1 {status}\r\n"
            f"Date: {formatdate(now_s, usegmt=True)}\r\n"
            f"Content-Length: {length}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
        ).encode()


def read(environment: Mapping[str, str]) -> Behaviour:
    """Return what the environment asks for. Raise BadEnvironment, which names the variable."""
    fail = environment.get("FAIL", "")
    if fail and fail not in FAILURES:
        raise BadEnvironment(f"FAIL={fail}: want one of {', '.join(FAILURES)}, or nothing")
    target = environment.get("TARGET") or "World"
    greeting = f"Hello {target}!\n".encode("utf-8", "surrogateescape")
    slow_ms = SLOW_MS if fail == "slow" else 0
    return Behaviour(
        port=_number(environment, "PORT", 8080, _PORT_MAX),
        greeting=b"Internal Server Error\n" if fail == "bad" else greeting,
        status="500 Internal Server Error" if fail == "bad" else "200 OK",
        delay_s=_number(environment, "DELAY_MS", slow_ms, DELAY_MS_MAX) / 1000,
        start_delay_s=_number(environment, "START_DELAY_MS", SLOW_START_MS, DELAY_MS_MAX) / 1000
        if fail == "slow-start"
        else 0.0,
        crashes=fail == "crash",
        listens=fail != "never-ready",
    )


def _number(environment: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text[:8]) > largest or len(text) > 8:
        raise BadEnvironment(f"{name}={text}: want a number from 0 to {largest}")
    return int(text)
