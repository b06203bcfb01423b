"""From the store to the workers and back: a real store, a real link, workers that only listen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from simulator.clock import SystemClock
from simulator.errors import Conflict
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN
from simulator.resources.core import DRAIN_FINALIZER, PROCESS_FINALIZER, Pod
from simulator.resources.networking import Ingress
from simulator.resources.serving import ANNOTATION_SPLITTER
from simulator.store.objects import Store
from tests.support.publishing import HELLO, Stage, bare, run, stage
from tests.support.traffic import NAMESPACE, ingress, pod, revision, rule


def test_what_the_store_has_at_the_start_is_published(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1), revision("a", timeout_s=7)) as here:
            await here.publisher.first_acknowledged.wait()
            assert here.weights() == {"default/a": 10_000}
            assert here.worker.table.backends["default/a"].timeout_s == 7.0

    run(scenario())


def test_another_splitter_is_told_once_every_worker_splits_by_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1), workers=2) as here:
            await here.until(lambda: here.ready() == TRUE)
            slow = here.workers[1]
            slow.answers = "nothing"
            stored = here.store.get(Ingress, NAMESPACE, "hello")
            assert stored is not None
            annotations = {ANNOTATION_SPLITTER: "exact"}
            await here.store.update(stored.with_metadata(annotations=annotations))
            table = await here.worker.until_version(slow.table.version + 1)
            await slow.until_commit(table.version)
            assert splitter_in_use(here) is None
            slow.answer_now(table.version)
            await here.until(lambda: splitter_in_use(here) == "exact")

    def splitter_in_use(here: Stage) -> str | None:
        stored = here.store.get(Ingress, NAMESPACE, "hello")
        assert stored is not None
        return stored.status.programmed_annotations.get(ANNOTATION_SPLITTER)

    run(scenario())


def test_an_empty_store_makes_an_empty_table(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here:
            await here.publisher.first_acknowledged.wait()
            assert (here.worker.table.routes, here.worker.table.backends) == ({}, {})

    run(scenario())


def test_an_ingress_is_ready_when_every_worker_serves_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, workers=2) as here:
            await here.publisher.first_acknowledged.wait()
            slow = here.workers[1]
            slow.answers = "nothing"
            await here.put(HELLO, pod("a", 1))
            table = await here.worker.until_version(slow.table.version + 1)
            await slow.until_commit(table.version)
            assert here.ready() is None
            slow.answer_now(table.version)
            await here.until(lambda: here.ready() == TRUE)
            stored = here.store.get(Ingress, NAMESPACE, "hello")
            assert stored is not None
            assert stored.status.programmed == stored.spec.rules

    run(scenario())


def test_a_new_split_waits_for_its_replicas_and_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1)) as here:
            await here.until(lambda: here.ready() == TRUE)
            await here.split({"a": 50, "b": 50})
            await here.until(lambda: here.ready() == UNKNOWN)
            assert here.weights() == {"default/a": 10_000}
            await here.put(pod("b", 2))
            await here.until(lambda: here.ready() == TRUE)
            assert here.weights() == {"default/a": 5000, "default/b": 5000}

    run(scenario())


def test_ready_is_true_only_for_what_is_served(tmp_path: Path) -> None:
    """The promise of it all: once Ready is seen, the worker's table is the new one."""

    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1), pod("b", 2)) as here:
            for percent in range(1, 30):
                await here.split({"a": percent, "b": 100 - percent})
                await here.until(lambda: here.ready() == TRUE)
                assert here.weights()["default/a"] == percent * 100

    run(scenario())


def test_a_contested_host_is_told_to_who_did_not_get_it(tmp_path: Path) -> None:
    rival = ingress("rival", {"a": 100}, rule("hello.default.example.com", {"a": 100}))

    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1)) as here:
            await here.until(lambda: here.ready() == TRUE)
            await here.put(rival)
            await here.until(lambda: here.ready("rival") == FALSE)
            assert here.ready() == TRUE

    run(scenario())


def test_a_deleted_ingress_leaves_the_table(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1)) as here:
            await here.until(lambda: here.ready() == TRUE)
            await here.store.delete(Ingress, HELLO.key)
            table = await here.worker.until_version(here.worker.table.version + 1)
            assert (table.routes, table.backends) == ({}, {})

    run(scenario())


def test_after_a_restart_versions_go_on_and_what_was_served_is(tmp_path: Path) -> None:
    versions: list[int] = []

    async def first() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1)) as here:
            await here.until(lambda: here.ready() == TRUE)
            versions.append(here.worker.table.version)
            await here.split({"b": 100})  # which cannot be served yet
            await here.until(lambda: here.ready() == UNKNOWN)

    async def second() -> None:
        async with stage(tmp_path) as here:
            await here.publisher.first_acknowledged.wait()
            assert here.worker.table.version > versions[0]
            assert here.weights() == {"default/a": 10_000}
            assert here.ready() == UNKNOWN

    run(first())
    run(second())


# Draining ------------------------------------------------------------------------------------

OLD, NEW = pod("a", 1), pod("a", 2)


def test_a_deleted_pod_is_let_go_when_no_worker_has_it_in_its_table(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, OLD, NEW, workers=2) as here:
            await here.until(lambda: here.ready() == TRUE)
            slow = here.workers[1]
            slow.answers = "nothing"
            await here.delete(OLD)
            table = await here.worker.until_version(slow.table.version + 1)
            assert here.addresses() == {"default/a": ("127.0.0.1:2",)}
            await slow.until_commit(table.version)
            assert DRAIN_FINALIZER in here.finalizers(OLD)
            slow.answer_now(table.version)
            await here.until(lambda: here.finalizers(OLD) == (PROCESS_FINALIZER,))
            assert DRAIN_FINALIZER in here.finalizers(NEW)

    run(scenario())


def test_a_pod_with_requests_under_way_is_let_go_when_they_are_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, OLD, NEW) as here:
            await here.until(lambda: here.ready() == TRUE)
            here.worker.busy = ("127.0.0.1:1",)
            await here.delete(OLD)
            await here.worker.until_version(here.worker.table.version + 1)
            await here.split({"a": 99, "b": 1})  # anything that is written after
            await here.until(lambda: here.ready() == UNKNOWN)
            assert DRAIN_FINALIZER in here.finalizers(OLD)
            here.worker.say_idle("127.0.0.1:1")
            await here.until(lambda: here.finalizers(OLD) == (PROCESS_FINALIZER,))

    run(scenario())


def test_a_pod_whose_grace_period_is_over_is_let_go_in_any_case(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, OLD, NEW) as here:
            await here.until(lambda: here.ready() == TRUE)
            here.worker.busy = ("127.0.0.1:1",)
            await here.delete(OLD, grace_s=1)
            await here.until(lambda: here.finalizers(OLD) == (PROCESS_FINALIZER,))

    run(scenario())


def test_a_pod_that_never_took_a_request_is_let_go_at_once(tmp_path: Path) -> None:
    never = pod("a", 3, ready=False)

    async def scenario() -> None:
        async with stage(tmp_path, never) as here:
            await here.publisher.first_acknowledged.wait()
            await here.delete(never)
            await here.until(lambda: here.finalizers(never) == (PROCESS_FINALIZER,))

    run(scenario())


def test_a_pod_that_was_being_deleted_before_a_restart_is_let_go(tmp_path: Path) -> None:
    leaving = pod("a", 1)

    async def before() -> None:
        store = await Store.open(tmp_path / "store.sqlite", SystemClock())
        await store.create(bare(leaving))
        await store.delete(Pod, leaving.key)
        await store.close()

    async def after() -> None:
        async with stage(tmp_path) as here:
            await here.until(lambda: here.finalizers(leaving) == (PROCESS_FINALIZER,))

    run(before())
    run(after())


def test_who_else_writes_to_a_leaving_pod_loses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, OLD, NEW) as here:
            await here.until(lambda: here.ready() == TRUE)
            await here.delete(OLD)
            for number in range(20):
                stored = here.store.get(Pod, *OLD.key)
                assert stored is not None
                with suppress(Conflict):
                    await here.store.update(stored.with_metadata(labels={"n": str(number)}))
            await here.until(lambda: here.finalizers(OLD) == (PROCESS_FINALIZER,))
            stored = here.store.get(Pod, *OLD.key)
            assert stored is not None
            assert "n" in stored.metadata.labels

    run(scenario())


def test_a_publisher_that_fell_behind_reads_the_store_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = [pod("a", port) for port in range(10, 30)]

    async def scenario() -> None:
        async with stage(tmp_path, HELLO, OLD, watch_queue_events_max=5) as here:
            await here.until(lambda: here.ready() == TRUE)
            await here.put(*others)  # in one commit: more events at once than its queue takes
            expected = tuple(sorted(f"127.0.0.1:{port}" for port in (1, *range(10, 30))))
            version = here.worker.table.version
            while here.addresses()["default/a"] != expected:
                version = (await here.worker.until_version(version + 1)).version

    run(scenario())
    assert "fell behind the store" in caplog.text
