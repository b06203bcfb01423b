"""Whatever a peer sends: read or refused, in any pieces; and h2 understands all that we write."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http2.frames import PREFACE, SETTINGS_ACK, frame, settings_frame
from tests.support.http2 import ANSWER, POST, REQUEST, Asking, Serving, Side, block, data, headers

FRAMES = st.builds(
    frame,
    st.integers(0, 11),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 5, 2**31 - 1]),
    st.binary(max_size=40),
)
GOOD = st.sampled_from(
    [
        headers(1, *POST, ended=False),
        headers(3, *REQUEST),
        headers(5, *ANSWER),
        headers(1, *ANSWER, ended=False),
        headers(1, (b"a", b"b")),
        data(1, b"x" * 20, ended=False),
        data(1, b"x"),
        settings_frame([(4, 10), (3, 1)]),
        SETTINGS_ACK,
        frame(1, 0, 7, block(*REQUEST)),
        frame(9, 4, 7, b""),
    ]
)


@given(st.lists(FRAMES | GOOD, max_size=30), st.data())
@pytest.mark.parametrize("role", [Serving, Asking])
def test_any_frames_are_read_or_refused(
    role: type[Serving | Asking], sent: list[bytes], draw: st.DataObject
) -> None:
    side: Side
    if role is Serving:
        side = Serving(answers=True, stream_window_bytes=100, connection_window_bytes=65_535)
        side.start()
    else:
        side = asking = Asking(stream_window_bytes=100).start()
        asking.ask()
        asking.ask(ended=False)
    whole = b"".join(sent)
    cut = draw.draw(st.integers(0, len(whole)))
    written = side.feed(whole[:cut], whole[cut:])
    ends = [each for each in written if each.startswith("GOAWAY")]
    assert len(ends) == (side.connection.failure is not None)
    assert written[-1:] == ends or not ends


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    for start in (b"", PREFACE, PREFACE + settings_frame([])):
        side = Serving(answers=True)
        side.feed(start, noise)


def exchange(cut: int) -> tuple[list[object], list[object]]:
    """Let h2 send requests of all kinds, each piece cut there; return what both sides saw."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    side = Serving(answers=True)
    events: list[object] = []
    events += client.receive_data(side.written)
    for body in (None, b"", b"x" * 30_000):
        stream_id = client.get_next_available_stream_id()
        client.send_headers(
            stream_id, [(*POST, (b"x-n", b"1"))[at] for at in range(5)], body is None
        )
        for start in range(0, len(body or b""), 16_384):
            client.send_data(stream_id, (body or b"")[start : start + 16_384])
        if body is not None:
            client.send_headers(stream_id, [(b"checksum", b"7")], end_stream=True)
        sent = client.data_to_send()
        before = len(side.written)
        side.feed(sent[:cut], sent[cut:])
        events += client.receive_data(side.written[before:])
    told = [stream.told[0] for stream in side.streams]
    return [(type(event), getattr(event, "stream_id", 0)) for event in events], told


@pytest.mark.parametrize("cut", [*range(0, 130, 3), 16_400])
def test_h2_and_we_understand_each_other(cut: int) -> None:
    events, told = exchange(cut)
    assert told == exchange(10**6)[1]
    for stream_id in (1, 3, 5):
        assert (h2.events.ResponseReceived, stream_id) in events
        assert (h2.events.StreamEnded, stream_id) in events


def test_h2_as_a_server_and_we_understand_each_other() -> None:
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    side = Asking()
    first, second = side.ask(), side.ask(ended=False)
    side.connection.send_data(second, b"x" * 100, ended=True)
    side.frames()
    server.receive_data(side.written)
    for stream_id in (1, 3):
        server.send_headers(stream_id, [(":status", "200"), ("content-length", "5")])
        server.send_data(stream_id, b"hello")
        server.send_headers(stream_id, [("grpc-status", "0")], end_stream=True)
    sent = server.data_to_send()
    for cut in range(len(sent)):
        again = Asking()
        streams = [again.ask(), again.ask()]
        again.feed(sent[:cut], sent[cut:])
        assert [each.told for each in streams] == [streams[0].told] * 2
        assert streams[0].trailers == b"grpc-status: 0\r\n"
    side.feed(sent)
    assert (first.body, second.body) == (b"hello", b"hello")
    server.receive_data(side.written[len(side.written) - 9 :])
