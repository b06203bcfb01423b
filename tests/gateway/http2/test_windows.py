"""Flow control both ways: nobody sends more than was allowed, and nothing is lost meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http2.frames import rst_stream, settings_frame, window_update
from tests.support.http2 import POST, REQUEST, Serving, block, data, headers

HEAD = block((b":status", b"200"))


def opened(*values: tuple[int, int], streams: int = 1, **settings: float) -> Serving:
    """Return a server with streams whose heads are answered."""
    side = Serving(**settings).start(*values)
    for count in range(streams):
        side.feed(headers(2 * count + 1, *REQUEST))
        side.connection.send_head(side.streams[count], HEAD, ended=False)
    side.frames()
    return side


def test_data_waits_for_the_streams_window() -> None:
    side = opened((4, 3))
    side.connection.send_data(side.streams[0], b"hello", ended=True)
    assert side.frames() == ["DATA 1 3"]
    assert side.feed(window_update(1, 1)) == ["DATA 1 1"]
    assert side.feed(window_update(1, 100)) == ["DATA 1 1 END"]
    assert not side.connection.streams


def test_data_waits_for_the_connections_window_and_each_stream_has_its_turn() -> None:
    side = opened((4, 2**20), streams=2)
    for stream in side.streams:
        side.connection.send_data(stream, b"x" * 65_536, ended=True)
    assert sum(int(each.split()[2]) for each in side.frames()) == 65_535
    assert [each.split()[1] for each in side.feed(window_update(0, 60_000))] == [
        "1",
        "3",
        "3",
        "3",
        "3",
    ]
    assert not side.connection.failure


def test_a_window_that_settings_change_counts_for_open_streams() -> None:
    side = opened((4, 0))
    side.connection.send_data(side.streams[0], b"hello", ended=True)
    assert side.frames() == []
    assert side.feed(settings_frame([(4, 2)])) == ["DATA 1 2", "SETTINGS ACK"]
    assert side.feed(settings_frame([(4, 1)]), window_update(1, 1)) == ["SETTINGS ACK"]
    assert side.feed(window_update(1, 3)) == ["DATA 1 3 END"]


def test_trailers_come_behind_data_that_waits() -> None:
    side = opened((4, 2))
    side.connection.send_data(side.streams[0], b"abc", ended=False)
    side.connection.send_trailers(side.streams[0], block((b"grpc-status", b"0")))
    assert side.frames() == ["DATA 1 2"]
    assert side.feed(window_update(1, 9)) == ["DATA 1 1", "HEADERS 1 grpc-status=0 END"]
    assert not side.connection.streams


def test_the_end_needs_no_window() -> None:
    side = opened((4, 0))
    side.connection.send_data(side.streams[0], b"", ended=True)
    assert side.frames() == ["DATA 1 0 END"]


def test_a_reset_drops_what_waits() -> None:
    side = opened((4, 0))
    side.connection.send_data(side.streams[0], b"x" * 9, ended=True)
    side.feed(rst_stream(1, 8))
    assert not side.connection.sender.waiting
    assert side.feed(window_update(0, 100)) == []


def test_a_transport_that_takes_no_more_holds_data_back() -> None:
    side = opened((4, 2**20), stream_buffer_bytes_high=100)
    stream = side.streams[0]
    side.connection.sender.is_stopped = True
    side.connection.send_data(stream, b"x" * 101, ended=True)
    assert side.frames() == []
    assert stream.told[-1] == ("full",)
    side.connection.sender.is_stopped = False
    side.connection.flush()
    assert side.frames() == ["DATA 1 101 END"]
    assert stream.told[-1] == ("writable",)


def test_frames_are_as_large_as_the_client_takes_and_we_like() -> None:
    side = opened((5, 2**20), (4, 2**20), frame_sent_bytes_max=30_000)
    side.connection.send_data(side.streams[0], b"x" * 60_001, ended=True)
    assert side.frames() == ["DATA 1 30000", "DATA 1 30000", "DATA 1 1 END"]


def test_a_long_head_is_cut_into_frames() -> None:
    side = Serving().start()
    side.feed(headers(1, *REQUEST))
    value = b"v" * 20_000
    side.connection.send_head(side.streams[0], HEAD + block((b"a", value)), ended=True)
    written = side.connection.sender.take()
    assert (written[3], written[4]) == (1, 1), "HEADERS, the stream's end and not the head's"
    assert (written[9 + 16_384 + 3], written[9 + 16_384 + 4]) == (9, 4), "CONTINUATION, the last"


# What we allow.


def test_windows_open_as_data_is_used_and_not_before() -> None:
    side = Serving(stream_window_bytes=100_000, connection_window_bytes=200_000).start()
    side.feed(headers(1, *POST, ended=False))
    stream = side.streams[0]
    body = data(1, b"x" * 16_000, ended=False)
    assert side.feed(*[body] * 3) == []
    assert side.feed(body) == ["WINDOW 1 64000"]
    side.connection.pause(stream)
    assert side.feed(*[body] * 3) == []
    side.connection.resume(stream)
    assert side.frames() == ["WINDOW 0 112000"]
    assert side.feed(body) == ["WINDOW 1 64000"]
    assert len(stream.body) == 8 * 16_000


def test_padding_is_given_back_too() -> None:
    side = Serving(stream_window_bytes=65_536, connection_window_bytes=65_536).start()
    side.feed(headers(1, *POST, ended=False))
    padded = b"\0\x01\x2d\0\x08\0\0\0\x01\xff" + b"x" * 45 + b"\0" * 255
    assert len(padded) == 9 + 301
    frames = side.feed(*[padded] * 109)
    assert frames == ["WINDOW 0 32809", "WINDOW 1 32809"]


def test_a_stream_that_ends_while_it_is_paused_gives_its_window_back() -> None:
    side = Serving(stream_window_bytes=65_536, connection_window_bytes=65_536).start()
    side.feed(headers(1, *POST, ended=False))
    side.connection.pause(side.streams[0])
    assert side.feed(*[data(1, b"x" * 16_000, ended=False)] * 3) == []
    assert side.feed(rst_stream(1, 8)) == ["WINDOW 0 48000"]


@pytest.mark.parametrize("window", [1, 7, 100, 65_535])
@given(pieces=st.lists(st.binary(max_size=300), max_size=8), updates=st.lists(st.integers(1, 200)))
def test_a_body_arrives_whole_within_the_windows(
    window: int, pieces: list[bytes], updates: list[int]
) -> None:
    side = opened((4, window))
    allowed, sent = window, 0
    for size, piece in zip(
        [*updates, *[1] * len(pieces)], [*pieces, *[b""] * len(updates)], strict=True
    ):
        side.connection.send_data(side.streams[0], piece or b"", ended=False)
        sent += sum(int(each.split()[2]) for each in side.frames())
        assert sent <= allowed
        allowed += size or 1
        sent += sum(int(each.split()[2]) for each in side.feed(window_update(1, size or 1)))
        assert sent <= allowed
    whole = b"".join(pieces)
    side.connection.send_data(side.streams[0], b"", ended=True)
    last = side.frames() + side.feed(window_update(1, len(whole) + 1))
    sent += sum(int(each.split()[2]) for each in last if each.startswith("DATA"))
    assert sent == len(whole)
    assert last[-1].endswith("END")
