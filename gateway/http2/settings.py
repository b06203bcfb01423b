"""Every limit of HTTP/2 connections, of either role; each name ends in its unit. Pure."""

from __future__ import annotations

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
