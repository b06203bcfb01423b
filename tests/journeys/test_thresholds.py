"""`knary load --threshold`: kept or broken, of all and of one revision, and what is none."""

from __future__ import annotations

import json

from tests.support.instance import HELLO, Instance

SEND = ("load", "split", "--requests", "100")


def test_a_load_ends_with_99_when_a_threshold_is_broken() -> None:
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "split", "--image", HELLO)
        two = ("--env", "TARGET=Knative", "--traffic", "split-00001=90,@latest=10")
        knary.run("service", "update", "split", *two)

        goals = ("--threshold", "p99<1m", "error_rate<=0%", "split_error<1%", "requests==100")
        kept = knary.run(*SEND, *goals, "--threshold", "p50{revision:split-00002}<1m")
        assert [line.split(":")[0] for line in kept.err.splitlines()] == [
            "kept    p99<1m",
            "kept    error_rate<=0%",
            "kept    split_error<1%",
            "kept    requests==100",
            "kept    p50{revision",
        ]

        broken = knary.run(
            *SEND, "--json", "-", "--threshold", "rps<1/m", "split_error<=0%", check=False
        )
        assert broken.status == 99
        document = json.loads(broken.out)
        first, second = document["thresholds"]
        assert (first["threshold"], first["kept"]) == ("rps<1/m", False)
        assert (second["measured"], second["kept"]) == ("0%", True)

        unseen = knary.run(*SEND, "--threshold", "p99{revision:gone}<1s", check=False)
        assert unseen.status == 99
        assert "BROKEN  p99{revision:gone}<1s: nothing was measured" in unseen.err

        unread = knary.run(*SEND, "--threshold", "p99<20ms", "p99<20kg", check=False)
        assert unread.status == 2
        assert "--threshold 'p99<20kg', column 7: 'kg' is no unit of a time" in unread.err
        assert unread.out == ""
