"""A tenth of a percent as a user has it: an annotation beside the whole percents."""

from __future__ import annotations

from collections import Counter

from tests.support.instance import HELLO, Instance

WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"
PERCENT = "knary.dev/traffic-percent"


def test_a_tenth_of_a_percent_of_a_thousand_requests_is_one() -> None:
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "fine", "--image", HELLO)
        knary.run(
            *("service", "update", "fine", "--env", "TARGET=Knative"),
            *("--traffic", "fine-00001=99,@latest=1"),
            *("--annotation-service", f"{PERCENT}=fine-00001=99.9,@latest=0.1"),
        )
        assert Counter(knary.texts("fine", 1_000)) == {WORLD: 999, KNATIVE: 1}
        warned = knary.run("service", "update", "fine", "--traffic", "fine-00001=50,@latest=50")
        assert "the whole percents of spec.traffic are in force" in warned.err
        assert Counter(knary.texts("fine", 100)) == {WORLD: 50, KNATIVE: 50}
