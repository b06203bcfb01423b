"""A tenth of a percent as a user has it: an annotation beside the whole percents."""

from __future__ import annotations

import json
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


def test_a_command_waits_until_annotations_alone_are_in_force() -> None:
    def asked(**annotations: str) -> dict[str, str]:
        words = [f"knary.dev/{name.replace('_', '-')}={text}" for name, text in annotations.items()]
        flags = [flag for word in words for flag in ("--annotation-service", word)]
        knary.run("service", "update", "told", *flags)
        found = json.loads(knary.run("get", "ksvc", "told", "-o", "json").out)
        return {key.partition("/")[2]: text for key, text in found["status"]["annotations"].items()}

    with Instance("--workers", "2") as knary:
        knary.run("service", "create", "told", "--image", HELLO)
        knary.run(
            *("service", "update", "told", "--env", "TARGET=Knative"),
            *("--traffic", "told-00001=99,@latest=1"),
        )
        percents = "told-00001=99.9,@latest=0.1"
        assert asked(traffic_percent=percents) == {"traffic-percent": percents}
        hashed = {"splitter": "hash-ranges", "hash-header": "X-User"}
        assert asked(splitter="hash-ranges", hash_header="X-User") == {
            "traffic-percent": percents,
            **hashed,
        }
        too_fine = "told-00001=90,@latest=10"
        assert asked(traffic_percent=too_fine) == {"traffic-percent-ignored": too_fine, **hashed}
