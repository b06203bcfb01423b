"""Every limit and wait of the data plane; each name ends in its unit. One frozen value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

import msgspec
from msgspec import Struct


class Http2Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one connection. A burst is what comes at once; it recovers at a rate per second."""

    # What the peer is told (SETTINGS).
    concurrent_streams_max: int = 100  # as Envoy's edge guide
    header_list_bytes_max: int = 64 * 1024  # decoded, with 32 bytes per field (RFC 9113 6.5.2)
    headers_max: int = 100  # fields of one head
    header_table_bytes_max: int = 4096  # of the peer's encoder, per connection
    frame_bytes_max: int = 16 * 1024  # payload; the least that HTTP/2 allows
    stream_window_bytes: int = 64 * 1024  # unread; as Envoy's edge guide
    # All that a client can make us hold, unread: no less than its streams' windows together, so
    # that none of them can stop the others.
    connection_window_bytes: int = 100 * 64 * 1024
    # What we send.
    frame_sent_bytes_max: int = 64 * 1024  # if the peer takes as much
    stream_buffer_bytes_high: int = 64 * 1024  # waits for the peer's window: then the source pauses
    # What a peer may waste.
    header_block_bytes_max: int = 96 * 1024  # as sent: what is too long for a list is still read
    continuations_max: int = 16  # frames of one header block, after the first
    resets_burst_max: int = 200  # by the peer before any answer, or by us for its errors
    resets_per_s: float = 20.0
    pings_burst_max: int = 200
    pings_per_s: float = 10.0
    settings_burst_max: int = 50
    settings_per_s: float = 1.0
    priorities_burst_max: int = 300  # and frames of unknown types; each stream is worth two
    priorities_per_s: float = 50.0
    empty_frames_burst_max: int = 100  # DATA without a byte
    empty_frames_per_s: float = 10.0
    tiny_data_bytes: int = 5  # smaller than a gRPC message's prefix
    tiny_data_frames_burst_max: int = 1000
    tiny_data_frames_per_s: float = 200.0
    window_updates_burst_max: int = 1000
    window_updates_per_s: float = 200.0
    window_updates_per_data_frame_max: int = 10  # as Envoy: so many more for each DATA frame sent
    unread_bytes_max: int = 1024 * 1024  # written though the client reads nothing: then it is cut
    # Waits.
    settings_ack_s_max: float = 10.0
    header_block_s_max: float = 15.0  # from HEADERS to the last CONTINUATION; and for the preface
    write_stalled_s_max: float = 60.0  # a peer that opens no window, or reads nothing
    # Towards revisions.
    upstream_connections_max: int = 4  # to one replica, when streams are not enough
    upstream_streams_max: int = 1000  # of one connection, if the revision takes as many
    upstream_idle_s_max: float = 60.0  # without a stream
    ping_interval_s: float = 310.0  # silence on open streams; gRPC servers punish less than 300
    ping_ack_s_max: float = 10.0
    refused_retries_max: int = 3  # of one request that a revision refused to look at
    replay_bytes_max: int = 64 * 1024  # of a body, kept for that until the answer begins


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
    room_check_s: float = 0.05  # the first who waits for room looks so often, besides being told
    session_idle_s_max: float = 86_400.0  # a session without a request for so long is a new one
    sessions_max: int = 65_536  # known by a header or an address, of all workers and services
    interim_heads_max: int = 32  # 1xx before one answer
    tunnel_half_closed_s_max: float = 30.0  # one side of a WebSocket's tunnel outlives the other
    sockets_ahead_max: int = 4  # made in a replica's own network before they are wanted
    sockets_ahead_total_max: int = 512  # of all replicas; beyond, each dial asks for its own
    sockets_wait_s_max: float = 2.0  # whoever makes them takes a millisecond; then it is asked anew
    redial_s: float = 0.05  # a replica that refused is tried again after so long
    replica_avoid_s: float = 30.0  # one that let a connection hang comes last for so long
    tick_s: float = 0.1  # how often deadlines are looked at
    drain_s_max: float = 30.0  # a stopping worker gives its requests so long
    shared_splits_max: int = 1024  # whose turns all workers take together; 33 KB each
    cut_s_max: float = 1.0  # what is still under way then is cut, and gone within so long
    drain_idle_s_max: float = 1.0  # an idle client may send one more request for so long
    control_reconnect_s: float = 0.02
    http2: Http2Settings = Http2Settings()


class Startup(Struct, frozen=True, forbid_unknown_fields=True):
    """What the parent tells a worker when it starts it."""

    worker: int
    listen_fd: int  # the external listener's
    control_socket: str
    local_listen_fd: int = -1  # the cluster-local listener's
    networks_socket: str = ""  # who makes sockets in the replicas' own networks; "": nobody
    turns_file: str = ""  # where workers take the turns of splits together; "": each has its own
    gates_file: str = ""  # where workers count together; "": this one counts alone
    sessions_file: str = ""  # where workers note sessions together; "": this one notes alone
    session_key_file: str = ""  # signs sessions' cookies; "": a key of this worker's own
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


Limits = TypeVar("Limits", Settings, Http2Settings)
_HTTP2 = "http2."  # how names of HTTP/2's limits begin


# Below these nothing would be served, or a worker would spin; other limits may be 0.
_LEAST: dict[str, float] = {
    **dict.fromkeys(("head_bytes_max", "request_line_bytes_max", "headers_max"), 1),
    **dict.fromkeys(("connections_max", "buffer_bytes_high", "sessions_max"), 1),
    **dict.fromkeys(("head_s_max", "upstream_connect_s_max"), 0.001),
    **dict.fromkeys(("tick_s", "room_check_s", "redial_s", "control_reconnect_s"), 0.001),
    "sockets_wait_s_max": 0.001,
    **dict.fromkeys(("http2.concurrent_streams_max", "http2.headers_max"), 1),
    **dict.fromkeys(("http2.upstream_connections_max", "http2.upstream_streams_max"), 1),
    **dict.fromkeys(("http2.header_list_bytes_max", "http2.frame_sent_bytes_max"), 1),
    **dict.fromkeys(("http2.stream_window_bytes", "http2.stream_buffer_bytes_high"), 1),
    **dict.fromkeys(("http2.settings_ack_s_max", "http2.header_block_s_max"), 0.001),
    **dict.fromkeys(("http2.ping_interval_s", "http2.ping_ack_s_max"), 0.001),
    "http2.connection_window_bytes": 65_535,  # it can only be widened (RFC 9113 6.9.2)
    "http2.frame_bytes_max": 16_384,  # RFC 9113 6.5.2
}
_MOST: dict[str, float] = {
    "sessions_max": 10_000_000,  # a file of 640 MB
    "http2.frame_bytes_max": 2**24 - 1,  # RFC 9113 6.5.2
    **dict.fromkeys(("http2.stream_window_bytes", "http2.connection_window_bytes"), 2**31 - 1),
    **dict.fromkeys(("http2.concurrent_streams_max", "http2.header_list_bytes_max"), 2**32 - 1),
    "http2.header_table_bytes_max": 2**32 - 1,  # SETTINGS are of 32 bits
}


def with_changes(settings: Settings, changes: Iterable[str]) -> Settings:
    """Return the settings after changes like "head_s_max=5" or "http2.headers_max=50".

    Raise BadSetting.
    """
    for change in changes:
        name, separator, text = (part.strip() for part in change.partition("="))
        if not separator:
            raise BadSetting(f"{change!r} is no NAME=VALUE")
        if name.startswith(_HTTP2):
            http2 = _changed(settings.http2, name.removeprefix(_HTTP2), text, _HTTP2)
            settings = msgspec.structs.replace(settings, http2=http2)
        else:
            settings = _changed(settings, name, text, "")
    return settings


def _changed(limits: Limits, name: str, text: str, prefix: str) -> Limits:
    """Return the limits with one of another value; `prefix` is what its name began with."""
    default = getattr(limits, name, None) if name in limits.__struct_fields__ else None
    if not isinstance(default, int | float):
        raise BadSetting(f"there is no setting {prefix + name!r}{_hint(name, limits, prefix)}")
    value = _number(prefix + name, text, whole=isinstance(default, int))
    return msgspec.structs.replace(limits, **{name: value})


def _hint(name: str, limits: Settings | Http2Settings, prefix: str) -> str:
    close = get_close_matches(name, limits.__struct_fields__, 1)
    page = "docs/http2.md" if prefix else "docs/settings.md"
    return f"; did you mean {prefix + close[0]!r}?" if close else f"; they are listed in {page}"


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        value: float = int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise BadSetting(f"{name}={text}: want {kind}") from None
    least, most = _LEAST.get(name, 0), _MOST.get(name, math.inf)
    if not math.isfinite(value) or value < least:
        raise BadSetting(f"{name}={text}: want no less than {least}")
    if value > most:
        raise BadSetting(f"{name}={text}: want no more than {most}")
    return value
