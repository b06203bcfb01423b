"""The key that signs the cookies of sticky sessions: made once, and the same for all workers."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from simulator.errors import KnaryError

KEY_BYTES = 32  # gateway.sticky.tokens has the same


def ensure_session_key(path: Path) -> None:
    """Make the key if there is none, for its owner alone. Raise KnaryError when it cannot be.

    A file that is no key is somebody's, and stays as it is.
    """
    try:
        if path.exists():
            _check(path)
        else:
            _make(path)
    except OSError as error:
        raise KnaryError(f"cannot keep the sessions' key in {path}: {error.strerror}") from error


def _check(path: Path) -> None:
    size = path.stat().st_size
    if not path.is_file() or size != KEY_BYTES:
        raise KnaryError(
            f"{path} is no key of sessions, which has {KEY_BYTES} bytes: name another file, or"
            " remove this one; a new key is made then, and every session begins anew"
        )
    path.chmod(0o600)


def _make(path: Path) -> None:
    """Put it in place whole; of several who do it at once, the first one's stays."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
