"""The access log: one line an exchange, safe to read, sampled by trace, never in anybody's way."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import accesslog
from gateway.accesslog import AccessLog, Entry, open_access_log, shown, timestamp, trace_id_of
from gateway.metrics.figures import WorkerFigures
from tests.support.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def entry(path: str = "/", **changes: object) -> Entry:
    values: dict[str, object] = {
        "time": timestamp(0.0),
        "worker": 0,
        "client": "127.0.0.1",
        "protocol": "HTTP/1.1",
        "method": "GET",
        "host": "hello.default.example.com",
        "path": path,
        "status": 200,
        "grpc_status": "",
        "service": "default/hello",
        "revision": "default/hello-00001",
        "tag": "",
        "bytes_up": 0,
        "bytes_down": 13,
        "duration_us": 812,
        "queue_us": 0,
        "retries": 0,
        "trace_id": "",
        "reason": "",
        "fault": "",
        **changes,
    }
    return Entry(**values)  # type: ignore[arg-type]


def log_to(path: Path, sample: float = 1.0, figures: WorkerFigures | None = None) -> AccessLog:
    return AccessLog(str(path), -1, sample, lambda: 0.5, figures or WorkerFigures())


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def flushed(log: AccessLog, path: Path, lines: int) -> None:
    """Flush, as the tick does, until the file has so many lines."""

    def is_there() -> bool:
        log.flush()
        return path.exists() and path.read_bytes().count(b"\n") >= lines

    eventually(f"{lines} lines", is_there)


def test_a_line_is_a_json_object_with_the_documented_fields(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = log_to(path)
    log.record(entry("/a?b=c", trace_id=TRACE, status=503, reason="queue_full"))
    log.close()
    (line,) = lines_of(path)
    assert line["path"] == "/a?b=c"
    assert line["time"] == "1970-01-01T00:00:00.000000Z"
    assert list(line) == list(Entry.__struct_fields__)
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.binary(max_size=300))
def test_no_byte_of_a_clients_can_make_a_line_or_a_terminal_command(data: bytes) -> None:
    text = shown(data)
    assert text.isascii()
    assert text.isprintable() or not text
    line = json.dumps(text)
    assert json.loads(line) == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"/plain?x=%20", "/plain?x=%20", id="plain"),
        pytest.param(b'/"quoted"', '/"quoted"', id="JSON escapes quotes itself"),
        pytest.param(b"/\xc3\xa9", "/\\xc3\\xa9", id="beyond ASCII"),
        pytest.param(b"/a\\x00b", "/a\\x5cx00b", id="a backslash, so that no two are the same"),
        pytest.param(b"/\x1b[2J\x7f\r\n", "/\\x1b[2J\\x7f\\x0d\\x0a", id="terminal and line"),
        pytest.param(b"a" * 3000, "a" * 2048 + "...", id="far too long"),
    ],
)
def test_what_a_client_sent_is_shown(data: bytes, expected: str) -> None:
    assert shown(data) == expected


@given(st.binary(min_size=1, max_size=20), st.binary(min_size=1, max_size=20))
def test_different_bytes_are_shown_differently(one: bytes, other: bytes) -> None:
    assert (shown(one) == shown(other)) == (one == other)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([f"traceparent: {PARENT}"], TRACE, id="version 00"),
        pytest.param([f"TraceParent:{PARENT} "], TRACE, id="any case, any space"),
        pytest.param([f"traceparent: cc{PARENT[2:]}-more"], TRACE, id="a later version"),
        pytest.param(["tracestate: a=b", f"traceparent: {PARENT}"], TRACE, id="among others"),
        pytest.param([], "", id="none"),
        pytest.param([f"traceparent: {PARENT}", f"traceparent: {PARENT}"], "", id="two"),
        pytest.param([f"traceparent: {PARENT}-more"], "", id="version 00 with more"),
        pytest.param([f"traceparent: ff{PARENT[2:]}"], "", id="version ff"),
        pytest.param([f"traceparent: 00-{'0' * 32}-00f067aa0ba902b7-01"], "", id="zero trace"),
        pytest.param([f"traceparent: 00-{TRACE}-{'0' * 16}-01"], "", id="zero parent"),
        pytest.param([f"traceparent: {PARENT.upper()}"], "", id="capitals"),
        pytest.param([f"traceparent: 00-{TRACE[:-1]}-00f067aa0ba902b7-011"], "", id="short"),
        pytest.param([f"x-traceparent: {PARENT}"], "", id="another header"),
    ],
)
def test_the_trace_id_is_w3cs(lines: list[str], expected: str) -> None:
    assert trace_id_of([line.encode() + b"\r\n" for line in lines]) == expected


@given(st.integers(0, (1 << 128) - 1), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_trace_has_one_answer_and_a_larger_sample_keeps_it(
    trace: int, one: float, other: float
) -> None:
    trace_id = f"{trace:032x}"
    smaller, larger = sorted((one, other))
    with_smaller, with_larger = _sampler(smaller), _sampler(larger)
    assert with_smaller.is_wanted(trace_id) == with_smaller.is_wanted(trace_id)
    assert not with_smaller.is_wanted(trace_id) or with_larger.is_wanted(trace_id)
    assert (trace & ((1 << 56) - 1) >= int((1.0 - smaller) * (1 << 56))) == (
        with_smaller.is_wanted(trace_id)
    )


def _sampler(sample: float) -> AccessLog:
    log = AccessLog("/dev/null", -1, sample, lambda: 0.5, WorkerFigures())
    log.close()
    return log


@pytest.mark.parametrize(
    ("sample", "rolled", "expected"),
    [
        pytest.param(0.3, 0.29, True, id="within the part"),
        pytest.param(0.3, 0.31, False, id="beyond the part"),
        pytest.param(1.0, 0.999, True, id="everything"),
        pytest.param(0.0, 0.0, False, id="nothing"),
    ],
)
def test_without_a_trace_chance_decides(sample: float, rolled: float, expected: bool) -> None:
    log = AccessLog("/dev/null", -1, sample, lambda: rolled, WorkerFigures())
    assert log.is_wanted("") is expected
    log.close()


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    log = log_to(path)
    log.record(entry("/1"))
    flushed(log, path, 1)
    path.rename(old)
    log.record(entry("/2"))
    flushed(log, path, 1)
    path.unlink()
    log.record(entry("/3"))
    flushed(log, path, 1)
    path.write_bytes(b"")  # copied and cut off
    log.record(entry("/4"))
    flushed(log, path, 1)
    log.close()
    assert [line["path"] for line in lines_of(old)] == ["/1"]
    assert [line["path"] for line in lines_of(path)] == ["/4"]


def test_a_log_that_cannot_be_written_loses_lines_and_counts_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    figures = WorkerFigures()
    path = tmp_path / "missing" / "access.log"
    log = log_to(path, figures=figures)
    log.record(entry())
    log.record(entry())

    def lost() -> bool:
        log.flush()
        return figures.access_log_dropped == 2

    eventually("the loss", lost)
    path.parent.mkdir()
    log.record(entry("/now"))
    flushed(log, path, 1)
    log.close()
    assert [line["path"] for line in lines_of(path)] == ["/now"]
    assert (figures.access_log_lines, figures.access_log_dropped) == (3, 2)
    assert caplog.text.count("cannot be written") == 1


def test_a_pipe_that_nobody_reads_holds_nobody_up() -> None:
    figures = WorkerFigures()
    reading, writing = os.pipe()
    log = AccessLog("", writing, 1.0, lambda: 0.5, figures)
    long = entry("/" + "x" * 2000)
    number = accesslog.BUFFER_BYTES_MAX // 1000  # more than pipe, writer and buffer hold together
    for index in range(number * 3):
        log.record(long)
        if index % 100 == 0:
            log.flush()
    assert figures.access_log_dropped > 0
    assert figures.access_log_lines + figures.access_log_dropped == number * 3
    with os.fdopen(reading, "rb") as pipe:
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.extend(pipe))
        reader.start()

        def all_taken() -> bool:
            log.flush()
            return log.is_written

        eventually("the rest", all_taken)
        log.close()
        os.close(writing)
        reader.join()
    assert len(received) == figures.access_log_lines
    assert all(json.loads(line)["path"] == long.path for line in received)


def test_lines_of_several_workers_do_not_mix_in_a_pipe() -> None:
    reading, writing = os.pipe()
    logs = [AccessLog("", writing, 1.0, lambda: 0.5, WorkerFigures()) for _ in range(2)]
    received: list[bytes] = []
    with os.fdopen(reading, "rb") as pipe:
        reader = threading.Thread(target=lambda: received.extend(pipe))
        reader.start()
        for _ in range(20):
            for number, log in enumerate(logs):
                for _ in range(20):
                    log.record(entry("/" + str(number) * 700))
                log.flush()
        for log in logs:
            log.close()
        os.close(writing)
        reader.join()
    assert len(received) == 800
    assert {json.loads(line)["path"] for line in received} == {"/" + "0" * 700, "/" + "1" * 700}


def test_a_reader_that_left_is_a_loss_and_no_more() -> None:
    figures = WorkerFigures()
    reading, writing = os.pipe()
    os.close(reading)
    log = AccessLog("", writing, 1.0, lambda: 0.5, figures)
    log.record(entry())

    def lost() -> bool:
        log.flush()
        return figures.access_log_dropped == 1

    eventually("the loss", lost)
    log.close()
    os.close(writing)


def test_it_is_off_unless_asked_for() -> None:
    assert open_access_log("", -1, 1.0, lambda: 0.5, WorkerFigures()) is None


def test_time_is_utc_with_microseconds() -> None:
    assert timestamp(1_700_000_000.000123) == "2023-11-14T22:13:20.000123Z"
