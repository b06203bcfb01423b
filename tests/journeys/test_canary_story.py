"""The canary story, step by step, each with real processes and real requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.instance import HELLO, IMAGES, Instance
from tests.support.waiting import eventually

WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"
OLD, NEW = "helloworld-go-00001", "helloworld-go-00002"
UPDATE = ("service", "update", "helloworld-go")
MANIFEST = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: helloworld-go}}
spec:
  traffic:
  - {{revisionName: {old}, percent: {first}}}
  - {{revisionName: {new}, percent: {second}}}
"""


@pytest.fixture(scope="module")
def created() -> Iterator[Instance]:
    """Step 1: the service as the console's guide creates it."""
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO, "--port", "8080")
        yield knary


@pytest.fixture
def knary(created: Instance) -> Instance:
    """Step 2 done: two revisions, all traffic on the first; whatever a test before left."""
    traffic = f"{OLD}=100,{NEW}=0"
    if NEW not in created.run("revision", "list").out:
        created.run(*UPDATE, "--env", "TARGET=Knative", "--traffic", f"{OLD}=100,@latest=0")
    else:
        created.run(*UPDATE, "--traffic", traffic)
    return created


def split(knary: Instance, old: int, new: int) -> None:
    knary.run(*UPDATE, "--traffic", f"{OLD}={old},{NEW}={new}")


def test_1_the_first_revision_answers_at_its_host_and_for_a_browser(created: Instance) -> None:
    assert OLD in created.run("revision", "list").out
    port = created.gateway[1]
    for host in ("helloworld-go.default.example.com", f"helloworld-go.default.localhost:{port}"):
        assert created.request(host).text in (WORLD, KNATIVE)
    assert created.run("url", "helloworld-go").out.strip().endswith(f".localhost:{port}")
    assert created.run("curl", "helloworld-go").out in (WORLD, KNATIVE)


def test_2_a_new_revision_at_0_percent_is_ready_and_nobody_reaches_it(knary: Instance) -> None:
    assert "True" in knary.run("get", "revision", NEW).out
    assert Counter(knary.texts("helloworld-go", 200)) == {WORLD: 200}


@pytest.mark.parametrize(("first", "second"), [(60, 30), (60, 50)], ids=["90", "110"])
def test_3_a_wrong_sum_is_refused_in_knatives_words_and_nothing_changes(
    knary: Instance, first: int, second: int
) -> None:
    before = knary.run("get", "ksvc", "helloworld-go", "-o", "json").out
    manifest = MANIFEST.format(old=OLD, new=NEW, first=first, second=second)
    refused = knary.run("apply", "-f", "-", stdin=manifest, check=False)
    assert refused.status == 1
    total = first + second
    assert f"Traffic targets sum to {total}, want 100: spec.traffic" in refused.err
    assert knary.run("get", "ksvc", "helloworld-go", "-o", "json").out == before
    assert Counter(knary.texts("helloworld-go", 20)) == {WORLD: 20}


def test_4_half_and_half_is_exactly_half_and_cannot_be_guessed(knary: Instance) -> None:
    split(knary, 50, 50)
    texts = knary.texts("helloworld-go", 100)
    assert Counter(texts) == {WORLD: 50, KNATIVE: 50}
    pairs = {tuple(texts[turn : turn + 2]) for turn in range(0, 100, 2)}
    assert pairs == {(WORLD, KNATIVE), (KNATIVE, WORLD)}  # one way only: 1 in 2 ** 49


def test_5_a_rollout_under_load_fails_nobody_and_is_obeyed_at_once(knary: Instance) -> None:
    with knary.load("helloworld-go") as load:
        for percent in (60, 80, 90, 100):
            split(knary, 100 - percent, percent)
            got = Counter(knary.texts("helloworld-go", 100))[KNATIVE]
            if percent == 100:
                assert got == 100
            else:  # the load takes turns of the same split: a window, not a prefix
                assert abs(got - percent) < 40
    assert load.failures == []


def test_6_a_rollback_is_complete_when_the_command_returns(knary: Instance) -> None:
    split(knary, 0, 100)
    with knary.load("helloworld-go") as load:
        knary.run("rollback", "helloworld-go", "--to", OLD)
        assert Counter(knary.texts("helloworld-go", 200)) == {WORLD: 200}
    assert load.failures == []


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        pytest.param(
            "example.com/no-such-image:1",
            "ContainerMissing",
            'Unable to fetch image "example.com/no-such-image:1"',
            id="an image that cannot be resolved",
        ),
        pytest.param(
            f"{IMAGES}:crash", "ExitCode1", "Container failed with:", id="one that crashes at start"
        ),
        pytest.param(
            f"{IMAGES}:never-ready",
            "ProgressDeadlineExceeded",
            "has timed out progressing.",
            id="one that never becomes ready",
        ),
    ],
)
def test_7_a_revision_that_fails_moves_no_traffic(image: str, reason: str, message: str) -> None:
    with Instance() as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO)
        deadline = ("--annotation-revision", "serving.knative.dev/progress-deadline=1s")
        with knary.load("helloworld-go", 50.0) as load:
            knary.run(*UPDATE, "--image", image, *deadline, "--no-wait")
            eventually("the reason", lambda: reason in knary.run("get", "revision", NEW).out)
            # Ready may pass through the crash before the deadline; it ends False either way.
            eventually("False", lambda: "False" in knary.run("get", "ksvc", "helloworld-go").out)
            service = knary.run("get", "ksvc", "helloworld-go", "-o", "yaml").out
            assert f'Revision "{NEW}" failed with message' in service
            assert message in service.replace("\n      ", "")
            assert Counter(knary.texts("helloworld-go", 50)) == {WORLD: 50}
        assert load.failures == []


def test_twenty_changes_under_load_with_two_workers_lose_nothing() -> None:
    with Instance("--workers", "2") as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO)
        knary.run(*UPDATE, "--env", "TARGET=Knative", "--traffic", f"{OLD}=100,@latest=0")
        with knary.load("helloworld-go", 300.0) as load:
            for change in range(20):
                percent = (100, 30, 0, 60)[change % 4]
                split(knary, 100 - percent, percent)
                if percent in (0, 100):
                    expected = KNATIVE if percent else WORLD
                    assert Counter(knary.texts("helloworld-go", 20)) == {expected: 20}
        assert load.failures == []


def test_a_route_that_needs_a_stopped_revision_again_starts_it_first() -> None:
    with Instance() as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO)
        knary.run(*UPDATE, "--env", "TARGET=Knative")
        eventually("one replica", lambda: len(knary.pids()["replica"]) == 1)
        with knary.load("helloworld-go") as load:
            knary.run(*UPDATE, "--traffic", f"{OLD}=100")
            assert Counter(knary.texts("helloworld-go", 50)) == {WORLD: 50}
        assert load.failures == []
