"""`knary assert-split` on a running service: by the bound, by the test, wrong, and too few."""

from __future__ import annotations

import json

from tests.support.instance import HELLO, Instance

SPLIT = "split-00001=90,split-00002=10"
WRONG = "split-00001=60,split-00002=40"


def annotate(knary: Instance, annotations: dict[str, str]) -> None:
    """Change the service's annotations, which makes no revision."""
    metadata = {"name": "split", "annotations": annotations}
    manifest = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata}
    knary.run("apply", "-f", "-", stdin=json.dumps(manifest))


def test_a_split_is_judged_by_what_its_splitter_promises() -> None:
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "split", "--image", HELLO)
        alone = knary.run("assert-split", "split")
        assert alone.out.startswith("200 requests split split-00001 200, at most 0 from")
        two = ("--env", "TARGET=Knative", "--traffic", "split-00001=90,@latest=10")
        knary.run("service", "update", "split", *two)

        by_bound = knary.run("assert-split", "split", "--requests", "50")
        assert by_bound.out.startswith("50 requests split split-00001 4")
        assert "; stratified allows less than 2" in by_bound.out
        wrong = knary.run("assert-split", "split", "--expect", WRONG, check=False)
        assert wrong.status == 1
        assert wrong.err.startswith("Error: of ")
        assert "(stratified at 60 %)" in wrong.err

        annotate(knary, {"knary.dev/splitter": "random"})
        document = json.loads(knary.run("assert-split", "split", "-o", "json").out)
        assert document["schema"] == "knary.split/v1"
        assert document["finding"] == "right"
        assert document["method"] == "sequential test"
        assert 100 < document["requests"] < 100_000
        assert document["percents"] == {"split-00001": 90, "split-00002": 10}
        few = knary.run("assert-split", "split", "--requests", "20", check=False)
        assert few.status == 5
        assert "it needs about" in few.err
        wrong = knary.run("assert-split", "split", "--expect", WRONG, "-o", "json", check=False)
        assert wrong.status == 1
        assert json.loads(wrong.out)["finding"] == "wrong"

        fine = "split-00001=90.5,@latest=9.5"
        annotate(knary, {"knary.dev/splitter": "exact", "knary.dev/traffic-percent": fine})
        document = json.loads(knary.run("assert-split", "split", "-o", "json").out)
        assert document["percents"] == {"split-00001": 90.5, "split-00002": 9.5}
        assert document["finding"] == "right"
        for expect, message in (
            ("split-00001=90", "the percents sum to 90, want 100"),
            ("split-00001", "want REVISION=PERCENT"),
            ("split-00001=x", "want REVISION=PERCENT"),
        ):
            refused = knary.run("assert-split", "split", "--expect", expect, check=False)
            assert refused.status == 2
            assert message in refused.err

        annotate(knary, {"knary.dev/sticky": "address"})
        one = knary.run("assert-split", "split", check=False)
        assert one.status == 1
        assert "cannot be seen from one machine" in one.err
