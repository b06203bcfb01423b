"""What a Pod's status says of its process."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.launcher.protocol import Exited
from simulator.resources.core import (
    ANNOTATION_ADDRESS,
    ANNOTATION_PID,
    DRAIN_FINALIZER,
    PROCESS_FINALIZER,
    Pod,
    Terminated,
    Waiting,
)
from simulator.supervisor.lifecycle import Life, Phase
from simulator.supervisor.status import (
    MESSAGE_BYTES_MAX,
    MESSAGE_LINES_MAX,
    annotated,
    crash_loop,
    grace_s,
    is_released,
    last_words,
    pod_status,
    port_of,
    termination,
)
from tests.support.supervised import pod

NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"
CRASH = Terminated(exit_code=1, reason="Error", message="no")


def conditions(one: Pod) -> dict[str, tuple[str, str | None]]:
    return {c.type: (c.status, c.last_transition_time) for c in one.status.conditions}


def with_status(one: Pod, life: Life, now: str) -> Pod:
    return msgspec.structs.replace(one, status=pod_status(one, life, now))


def test_a_pod_that_waits_is_pending() -> None:
    one = with_status(pod(), Life(), NOW)
    assert one.status.phase == "Pending"
    assert conditions(one)["Ready"] == ("False", NOW)
    container = one.status.container_statuses[0]
    assert container.state.waiting == Waiting("ContainerCreating")
    assert (container.ready, container.started, container.restart_count) == (False, False, 0)
    unready = one.status.conditions[-1]
    assert unready.reason == "ContainersNotReady"
    assert unready.message == "containers with unready status: [user-container]"


def test_a_condition_keeps_the_time_since_when_it_has_its_status() -> None:
    life = Life(phase=Phase.UNREADY, pid=7, port=20000, started_at_s=0.0, is_started=True)
    running = with_status(with_status(pod(), Life(), NOW), life, LATER)
    assert conditions(running)["Ready"] == ("False", NOW)
    ready = with_status(running, msgspec.structs.replace(life, phase=Phase.READY), LATER)
    assert conditions(ready) == {
        "PodScheduled": ("True", NOW),
        "Initialized": ("True", NOW),
        "ContainersReady": ("True", LATER),
        "Ready": ("True", LATER),
    }
    container = ready.status.container_statuses[0]
    assert container.state.running is not None
    assert container.state.running.started_at == "1970-01-01T00:00:00Z"
    assert (container.ready, container.started) == (True, True)
    assert (ready.status.phase, ready.status.pod_ip) == ("Running", "127.0.0.1")


def test_nothing_changed_is_the_same_status() -> None:
    life = Life(phase=Phase.READY, pid=7, port=20000)
    one = with_status(pod(), life, NOW)
    assert pod_status(one, life, LATER) == one.status


def test_one_that_backs_off_says_how_it_ended_and_how_long_it_waits() -> None:
    one = pod().with_metadata(uid="u-1")
    life = Life(phase=Phase.BACKING_OFF, last=CRASH, restarts=2, waiting=crash_loop(one, 0.5))
    container = pod_status(one, life, NOW).container_statuses[0]
    assert container.state.waiting == Waiting(
        "CrashLoopBackOff",
        "back-off 0.5s restarting failed container=user-container pod=one_default(u-1)",
    )
    assert container.last_state.terminated == CRASH
    assert container.restart_count == 2


def test_one_that_is_started_again_says_how_it_ended_until_it_runs() -> None:
    life = Life(phase=Phase.STARTING, last=CRASH, restarts=1)
    container = pod_status(pod(), life, NOW).container_statuses[0]
    assert (container.state.waiting, container.state.terminated) == (None, CRASH)
    assert container.last_state.terminated == CRASH


@pytest.mark.parametrize(
    ("exit_code", "signal", "expected"),
    [
        (0, None, (0, "Completed", "")),
        (3, None, (3, "Error", "words")),
        (None, 9, (137, "Error", "words")),
    ],
)
def test_an_end_in_kubernetes_words(
    exit_code: int | None, signal: int | None, expected: tuple[int, str, str]
) -> None:
    how = termination(Exited("u", 7, exit_code, signal, 60.0, "words\n"), 1.0)
    assert (how.exit_code, how.reason, how.message) == expected
    assert (how.started_at, how.finished_at) == ("1970-01-01T00:00:01Z", "1970-01-01T00:01:00Z")


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("", ""),
        ("a\nb\n\n", "a\nb"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07done\x1b(B\r\n", "red done"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x07c\td\x9b1m", "abc\td1m"),
        ("cut \x1b", "cut "),
        ("\n".join(map(str, range(100))), "\n".join(map(str, range(20, 100)))),
        ("x" * 5000, "x" * MESSAGE_BYTES_MAX),
        ("ü" * 2000, "ü" * (MESSAGE_BYTES_MAX // 2)),
    ],
)
def test_last_words_are_plain_and_bounded(log: str, message: str) -> None:
    assert last_words(log) == message


@given(st.text(alphabet=st.sampled_from("a\n\t\x1b[]0;m\x07\\\x9büP(B ")))
def test_no_escape_survives(log: str) -> None:
    words = last_words(log)
    assert all(char in "\n\t" or char.isprintable() for char in words)
    assert len(words.encode()) <= MESSAGE_BYTES_MAX
    assert words.count("\n") < MESSAGE_LINES_MAX


def test_address_and_pid_follow_the_process() -> None:
    one = pod()
    running = annotated(one, Life(phase=Phase.UNREADY, port=20001, pid=7))
    assert running.metadata.annotations == {
        ANNOTATION_ADDRESS: "127.0.0.1:20001",
        ANNOTATION_PID: "7",
    }
    assert port_of(running) == 20001
    assert annotated(running, Life(phase=Phase.UNREADY, port=20001, pid=7)) is running
    backing_off = annotated(running, Life(phase=Phase.BACKING_OFF, port=20001))
    assert backing_off.metadata.annotations == {ANNOTATION_ADDRESS: "127.0.0.1:20001"}
    assert annotated(running, Life()).metadata.annotations == {}
    assert port_of(one) == 0


def test_our_finalizer_goes_when_all_is_over_and_no_other() -> None:
    one = pod()
    assert annotated(one, Life(phase=Phase.STOPPING)).metadata.finalizers == (
        DRAIN_FINALIZER,
        PROCESS_FINALIZER,
    )
    assert annotated(one, Life(phase=Phase.STOPPED)).metadata.finalizers == (DRAIN_FINALIZER,)


def test_a_pod_is_released_when_it_is_deleted_and_drained() -> None:
    one = pod()
    deleted = one.with_metadata(deletion_timestamp=NOW)
    drained = one.with_metadata(finalizers=(PROCESS_FINALIZER,))
    both = deleted.with_metadata(finalizers=(PROCESS_FINALIZER,))
    assert [is_released(x) for x in (one, deleted, drained, both)] == [False, False, False, True]


def test_the_grace_is_the_deletions_then_the_pods_then_the_default() -> None:
    one = pod(grace_s=7)
    assert grace_s(one.with_metadata(deletion_grace_period_seconds=0), 30.0) == 0.0
    assert grace_s(one, 30.0) == 7.0
    assert grace_s(Pod(), 30.0) == 30.0
