"""kn's flags on a service's template: knative/client pkg/flags, pkg/serving."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.cli.exits import UsageError
from simulator.cli.template import Edits, apply_edits, revision_name

WHEN = "2026-01-02T03:04:05Z"
STAMP = {"client.knative.dev/updateTimestamp": WHEN}


def service(**container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop", "namespace": "default", "generation": 3},
        "spec": {"template": {"spec": {"containers": [{"image": "old", **container}]}}},
    }


def edited(before: dict[str, Any], **flags: Any) -> dict[str, Any]:
    return apply_edits(before, Edits(**flags), WHEN, lambda characters: characters[0])


def container(after: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = after["spec"]["template"]["spec"]["containers"][0]
    return first


@pytest.mark.parametrize(
    ("before", "flags", "wanted"),
    [
        pytest.param({}, {"image": "new"}, {"image": "new"}, id="image"),
        pytest.param(
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": ("A=9", "C=a=b", "B-")},
            {"env": [{"name": "A", "value": "9"}, {"name": "C", "value": "a=b"}]},
            id="variables are changed in place, added at the end, removed",
        ),
        pytest.param({}, {"env": ("A=",)}, {"env": [{"name": "A", "value": ""}]}, id="empty value"),
        pytest.param({}, {"port": "80"}, {"ports": [{"containerPort": 80}]}, id="port"),
        pytest.param(
            {"ports": [{"containerPort": 1}]},
            {"port": "h2c:8080"},
            {"ports": [{"containerPort": 8080, "name": "h2c"}]},
            id="named port",
        ),
        pytest.param(
            {},
            {"cmd": ("sh", "-c"), "arg": ("echo",)},
            {"command": ["sh", "-c"], "args": ["echo"]},
            id="command and arguments",
        ),
    ],
)
def test_flags_change_the_container(
    before: dict[str, Any], flags: dict[str, Any], wanted: dict[str, Any]
) -> None:
    after = container(edited(service(**before), **flags))
    assert {key: after[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("flags", "annotations"),
    [
        pytest.param({"scale": "2"}, {"min-scale": "2", "max-scale": "2"}, id="one number"),
        pytest.param({"scale": "1..5"}, {"min-scale": "1", "max-scale": "5"}, id="a range"),
        pytest.param({"scale": "1.."}, {"min-scale": "1"}, id="from"),
        pytest.param({"scale": "..5"}, {"max-scale": "5"}, id="up to"),
        pytest.param({"scale_min": 0}, {"min-scale": "0"}, id="zero is given"),
        pytest.param({"scale_init": 2}, {"initial-scale": "2"}, id="initial"),
    ],
)
def test_scale_becomes_annotations(flags: dict[str, Any], annotations: dict[str, str]) -> None:
    wanted = {f"autoscaling.knative.dev/{name}": value for name, value in annotations.items()}
    after = edited(service(), **flags)
    assert after["spec"]["template"]["metadata"]["annotations"] == {**STAMP, **wanted}


def test_a_change_of_the_template_is_stamped_and_so_makes_a_revision() -> None:
    after = edited(service(), image="old")
    assert after["spec"]["template"]["metadata"]["annotations"] == STAMP


def test_visibility_alone_makes_no_revision() -> None:
    after = edited(service(), cluster_local=True)
    assert after["metadata"]["labels"] == {"networking.knative.dev/visibility": "cluster-local"}
    assert after["spec"] == service()["spec"] | {"template": after["spec"]["template"]}
    assert "annotations" not in after["spec"]["template"].get("metadata", {})
    assert "labels" not in edited(after, cluster_local=False)["metadata"]


def test_annotations_and_labels_go_to_both_unless_one_is_named() -> None:
    after = edited(
        service(),
        annotation=("a=1", "autoscaling.knative.dev/window=9s"),
        annotation_service=("s=2",),
        annotation_revision=("r=3",),
        label=("l=4", "gone-"),
        label_revision=("l=5",),
    )
    assert after["metadata"]["annotations"] == {"a": "1", "s": "2"}
    template = after["spec"]["template"]["metadata"]
    assert template["annotations"] == {
        **STAMP,
        "a": "1",
        "autoscaling.knative.dev/window": "9s",
        "r": "3",
    }
    assert (after["metadata"]["labels"], template["labels"]) == ({"l": "4"}, {"l": "5"})


def test_the_image_that_kn_remembers_follows_the_image() -> None:
    before = service()
    key = "client.knative.dev/user-image"
    before["spec"]["template"]["metadata"] = {"annotations": {key: "old"}}
    after = edited(before, image="new")
    assert after["spec"]["template"]["metadata"]["annotations"][key] == "new"


def test_what_was_given_is_not_changed() -> None:
    before = service()
    edited(before, image="new", label=("a=1",), env=("A=1",))
    assert before == service()


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        pytest.param("shop-v2", "shop-v2", id="whole"),
        pytest.param("v2", "shop-v2", id="prefixed by the service"),
        pytest.param("{{.Service}}-{{.Generation}}", "shop-4", id="of the next generation"),
        pytest.param("x-{{.Random 3}}", "shop-x-bbb", id="random consonants"),
        pytest.param("", "", id="the server's own"),
    ],
)
def test_revision_names_are_kns_templates(pattern: str, wanted: str) -> None:
    assert revision_name(pattern, service(), lambda characters: characters[0]) == wanted


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(
            {"env": ("A",)},
            'Invalid --env: argument requires a value that contains the "=" character; got "A"',
            id="a variable without a value",
        ),
        pytest.param(
            {"port": "http"},
            "the port specification 'http' is not valid. Please provide in the format 'NAME:PORT',"
            " where 'NAME' is optional. Examples: '--port h2c:8080' , '--port 8080'.",
            id="no port",
        ),
        pytest.param({"scale": "many"}, "Scale must be of the format x..y or x", id="scale"),
        pytest.param(
            {"scale": "1", "scale_min": 2},
            "only --scale or --scale-min can be specified",
            id="both",
        ),
        pytest.param(
            {"concurrency_limit": -1},
            "invalid concurrency-limit -1 (must not be less than 0)",
            id="negative limit",
        ),
        pytest.param(
            {"annotation_service": ("autoscaling.knative.dev/target=1",)},
            "service can not have auto-scaling related annotation: autoscaling.knative.dev/target ,"
            " please update using '--annotation-revision'",
            id="autoscaling on the service",
        ),
        pytest.param({"label": ("=1",)}, "Invalid --label: The key is empty", id="no key"),
        pytest.param(
            {"revision_name": "{{.Nope}}"},
            "--revision-name {{.Nope}}: known are {{.Service}}, {{.Generation}} and {{.Random N}}",
            id="unknown template",
        ),
    ],
)
def test_flags_are_refused_in_kns_words(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        edited(service(), **flags)
    assert str(caught.value) == message
