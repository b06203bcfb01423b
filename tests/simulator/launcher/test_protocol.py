"""The launcher's wire format."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.launcher import protocol
from simulator.launcher.protocol import (
    Executable,
    Exited,
    ForkedApp,
    Hello,
    LineReader,
    Listed,
    Listing,
    ProtocolError,
    Spawn,
    Started,
    Stop,
    encode,
)

STARTED = Started("a", 7, 1.5, 8080)
EXITED = Exited("a", 7, None, 9, 2.5, "last words\n\x1b[0m")
SPAWN = Spawn("a", Executable(("sh", "-c", "x\ny")), {"A": "ü\n"}, "/", "/log", 1)


@pytest.mark.parametrize(
    "message", [SPAWN, Spawn("b", ForkedApp("app", ("x",)), {}, "/", "/l"), Stop("a", 0.5)]
)
def test_a_command_arrives_as_it_was_sent(message: protocol.Command) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.command(line) == message


@pytest.mark.parametrize(
    "message", [Hello(1), STARTED, EXITED, Listing((Listed(STARTED, EXITED), Listed(STARTED)))]
)
def test_a_report_arrives_as_it_was_sent(message: protocol.Report) -> None:
    assert protocol.report(encode(message)) == message


def test_lines_arrive_wherever_the_stream_is_cut() -> None:
    raw = encode(SPAWN) + encode(Stop("a", 1.0)) + b"{}\n"
    whole = raw.split(b"\n")[:-1]
    for cut in range(len(raw) + 1):
        lines = LineReader()
        assert [*lines.feed(raw[:cut]), *lines.feed(raw[cut:])] == whole


def test_a_line_without_end_is_refused() -> None:
    lines = LineReader(line_bytes_max=10)
    assert list(lines.feed(b"0123456789")) == []
    with pytest.raises(ProtocolError, match="over 10 bytes"):
        list(lines.feed(b"0"))


@given(st.binary(max_size=60))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    for decode in (protocol.command, protocol.report):
        with contextlib.suppress(ProtocolError):
            decode(line)
