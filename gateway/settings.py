"""Every limit and wait of the data plane; each name ends in its unit. One frozen value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches

import msgspec
from msgspec import Struct


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's limits. Where nginx or Envoy has the same limit, its default is near."""

    head_bytes_max: int = 64 * 1024  # request or response line and headers together
    request_line_bytes_max: int = 16 * 1024
    headers_max: int = 100  # as Envoy
    trailer_bytes_max: int = 16 * 1024
    head_s_max: float = (
        15.0  # from a request's first byte to its head's end; and for a client to go
    )
    body_idle_s_max: float = 60.0  # between two parts of a request's body, as nginx
    send_idle_s_max: float = 60.0  # a client takes nothing of what was written, as nginx
    keep_alive_idle_s_max: float = 75.0  # as nginx's keepalive_timeout
    connections_max: int = 20_000
    pipelined_bytes_max: int = 64 * 1024  # read ahead of the request under way
    unread_body_bytes_max: int = 1024 * 1024  # discarded after an early reply or a refusal
    buffer_bytes_high: int = 256 * 1024  # written and not yet sent: the other side pauses
    upstream_connect_s_max: float = 5.0  # as Kourier's cluster connect timeout
    upstream_idle_s_max: float = 4.0  # many servers close at 5
    upstream_idle_connections_max: int = 512  # kept per replica
    replica_wait_s_max: float = 30.0  # a request waits so long for a replica that answers
    replica_waiters_max: int = 10_000  # requests that wait, per revision (activator's queue)
    room_check_s: float = 0.05  # who waits for room looks so often, besides being told
    interim_heads_max: int = 32  # 1xx before one answer
    tunnel_half_closed_s_max: float = 30.0  # one side of a WebSocket's tunnel outlives the other
    redial_s: float = 0.05  # a replica that refused is tried again after so long
    replica_avoid_s: float = 30.0  # one that let a connection hang comes last for so long
    tick_s: float = 0.1  # how often deadlines are looked at
    drain_s_max: float = 30.0  # a stopping worker gives its requests so long
    drain_idle_s_max: float = 1.0  # an idle client may send one more request for so long
    control_reconnect_s: float = 0.02


class Startup(Struct, frozen=True, forbid_unknown_fields=True):
    """What the parent tells a worker when it starts it."""

    worker: int
    listen_fd: int  # the external listener's
    control_socket: str
    local_listen_fd: int = -1  # the cluster-local listener's
    gates_file: str = ""  # where workers count together; "": this one counts alone
    life_fd: int = -1
    ready_fd: int = -1
    pid_file: str = ""
    metrics_file: str = ""  # where others read what is counted; "": nowhere
    access_log: str = ""  # a file's absolute path; "": none, unless `access_log_fd`
    access_log_fd: int = -1  # an inherited descriptor to write to instead
    access_log_sample: float = 1.0  # this part of the requests is logged
    verbose: bool = False
    quiet: bool = False  # only warnings are told
    settings: Settings = Settings()


class BadSetting(Exception):
    """A setting that does not exist, or a value that it cannot have; says what can be done."""


def with_changes(settings: Settings, changes: Iterable[str]) -> Settings:
    """Return the settings after changes like "head_s_max=5". Raise BadSetting."""
    values: dict[str, float] = {}
    for change in changes:
        name, separator, text = change.partition("=")
        name, text = name.strip(), text.strip()
        if not separator:
            raise BadSetting(f"{change!r} is no NAME=VALUE")
        default = getattr(settings, name, None) if name in settings.__struct_fields__ else None
        if default is None:
            raise BadSetting(f"there is no setting {name!r}{_hint(name, settings)}")
        values[name] = _number(name, text, whole=isinstance(default, int))
    return msgspec.structs.replace(settings, **values)


def _hint(name: str, settings: Settings) -> str:
    close = get_close_matches(name, settings.__struct_fields__, 1)
    return f"; did you mean {close[0]!r}?" if close else "; they are listed in docs/settings.md"


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        value: float = int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise BadSetting(f"{name}={text}: want {kind}") from None
    if not 0 <= value < math.inf:
        raise BadSetting(f"{name}={text}: want no less than 0")
    return value
