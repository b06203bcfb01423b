"""The commands on a real instance: what they print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from simulator.cli.main import run
from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually

IMAGE = "helloworld-go"
SPLITTER = "knary.dev/splitter"


class Ended(NamedTuple):
    """How a command line ended."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [line.split() for line in self.out.splitlines()]


Knary = Callable[..., Ended]


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as running:
        running.run("service", "create", "hello", "--image", HELLO)
        yield running


@pytest.fixture
def knary(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Knary:
    """Run a command line in this process, on the module's instance."""
    monkeypatch.setenv("KNARY_DATA", str(instance.data))

    def call(*words: str) -> Ended:
        status = run(list(words))
        said = capsys.readouterr()
        return Ended(status, said.out, said.err)

    return call


def manifest(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> str:
    container = {"image": IMAGE, "env": [{"name": "TARGET", "value": "One"}]}
    document = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, **({"annotations": annotations} if annotations else {})},
        "spec": {"template": {"spec": {"containers": [container]}}, **spec},
    }
    return yaml.safe_dump(document)


def test_a_service_is_created_changed_and_deleted_in_kns_words(knary: Knary) -> None:
    created = knary("service", "create", "story", "--image", HELLO)
    assert created.status == 0
    lines = created.out.splitlines()
    assert lines[:2] == ["Creating service 'story' in namespace 'default':", ""]
    assert lines[-4].endswith("s Ready to serve.")
    assert lines[-3:] == [
        "",
        "Service 'story' created to latest revision 'story-00001' is available at URL:",
        "http://story.default.example.com",
    ]
    assert knary("curl", "story").out == "Hello World!\n"
    updated = knary(
        *("service", "update", "story", "--env", "TARGET=Knative", "--traffic", "story-00001=100")
    )
    assert updated.out.splitlines()[-2] == (
        "Service 'story' updated to latest revision 'story-00002' is available at URL:"
    )
    assert {knary("curl", "story").out for _ in range(20)} == {"Hello World!\n"}
    assert knary("service", "update", "story", "--traffic", "@latest=100").status == 0
    assert {knary("curl", "story").out for _ in range(20)} == {"Hello Knative!\n"}
    back = knary("rollback", "story")
    assert back.out == "Service 'story' in namespace 'default': 100% to 'story-00001'.\n"
    assert {knary("curl", "story").out for _ in range(20)} == {"Hello World!\n"}
    deleted = knary("service", "delete", "story", "--wait")
    assert deleted.out == "Service 'story' successfully deleted in namespace 'default'.\n"
    assert knary("service", "delete", "story") == Ended(
        1,
        "",
        'Error: services.serving.knative.dev "story" not found\nSee `knary get services -A`\n',
    )


def test_a_service_that_is_there_is_replaced_by_force_alone(knary: Knary) -> None:
    again = knary("service", "create", "hello", "--image", IMAGE)
    assert again == Ended(
        1,
        "",
        "Error: cannot create service 'hello' in namespace 'default' because the service already"
        " exists and no --force option was given\n",
    )
    forced = knary("service", "create", "hello", "--image", HELLO, "--force")
    assert forced.out.startswith("Replacing service 'hello' in namespace 'default':\n")
    assert "Service 'hello' replaced to latest revision" in forced.out


def test_without_waiting_the_commands_say_less(knary: Knary) -> None:
    made = knary("service", "create", "quick", "--image", IMAGE, "--no-wait")
    assert made.out == "Service 'quick' created in namespace 'default'.\n"
    changed = knary("service", "update", "quick", "--env", "A=1", "--no-wait")
    assert changed.out == "Service 'quick' updated in namespace 'default'.\n"
    waited = knary("service", "wait", "quick").out.splitlines()
    assert waited[0] == "Waiting for Service 'quick' in namespace 'default':"
    assert waited[-1] == "Service 'quick' in namespace 'default' is ready."


def test_the_splitter_that_was_asked_for_is_in_use_when_a_command_returns(
    knary: Knary, tmp_path: Path
) -> None:
    def in_use(service: str = "deal") -> Any:
        found = json.loads(knary("get", "ksvc", service, "-o", "json").out)
        return found["status"].get("annotations")

    (tmp_path / "deal.yaml").write_text(manifest("deal", annotations={SPLITTER: "random"}))
    assert knary("apply", "-f", str(tmp_path)).status == 0
    assert in_use() == {SPLITTER: "random"}
    (tmp_path / "deal.yaml").write_text(manifest("deal", annotations={SPLITTER: "exact"}))
    assert (
        knary("apply", "-f", str(tmp_path)).out == "service.serving.knative.dev/deal configured\n"
    )
    assert in_use() == {SPLITTER: "exact"}
    knary("service", "create", "dealt", "--image", IMAGE)
    knary("service", "update", "dealt", "--annotation-service", f"{SPLITTER}=exact")
    assert in_use("dealt") == {SPLITTER: "exact"}


def test_a_change_of_the_services_own_labels_is_no_revision(knary: Knary) -> None:
    knary("service", "create", "label", "--image", IMAGE)
    assert knary("service", "update", "label", "--cluster-local").status == 0
    # Nothing to wait for: the routes follow the label in their own time.
    eventually("an inside address", lambda: ".svc.localhost:" in knary("url", "label").out)
    answered = "an answer inside", lambda: knary("curl", "label").out == "Hello World!\n"
    eventually(*answered)
    made = knary("revision", "list", "-s", "label", "--no-headers")
    assert [row[0] for row in made.rows] == ["label-00001"]
    same = knary("service", "update", "label", "--cluster-local")
    assert same.out.splitlines() == [
        "Service 'label' updated in namespace 'default'.",
        "No new revision has been created.",
    ]


def test_a_revision_that_fails_is_told_and_traffic_stays(knary: Knary) -> None:
    knary("service", "create", "frail", "--image", IMAGE)
    failed = knary(*("service", "update", "frail", "--image", "no/such:1", "--wait-window", "0"))
    assert failed.status == 1
    assert failed.err == (
        'Error: RevisionFailed: Revision "frail-00002" failed with message: Unable to fetch image'
        ' "no/such:1": failed to resolve image to digest: no program is mapped to this image;'
        " see knary images.\n"
        "Traffic stays where it was until this is mended, say by `knary service update`\n"
    )
    assert knary("curl", "frail").out == "Hello World!\n"
    described = knary("service", "describe", "frail").out
    assert "Error:  ContainerMissing" in described
    assert "100%  @latest (frail-00001) [1]" in described
    assert knary("rollback", "frail").status == 0
    assert knary("service", "list", "frail", "--no-headers").rows[0][8] == "False"


def test_time_that_is_up_has_a_status_of_its_own(knary: Knary) -> None:
    words = ("service", "create", "never", "--image", f"{IMAGE}:never-ready")
    late = knary(*words, "--wait-timeout", "0")
    said, hint = late.err.splitlines()
    assert (late.status, said) == (4, "Error: timeout: service 'never' not ready after 0 seconds")
    assert hint.startswith("Does its program listen on ")
    knary("delete", "ksvc", "never")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--traffic", "hello-00001=60,@latest=50"], "given traffic percents sum to 110, want"),
        (["--untag", "x"], "tag(s) x not present for any revisions of service hello"),
        (["--traffic", "nope=100"], "nope"),
    ],
)
def test_traffic_that_cannot_be_is_refused_and_changes_nothing(
    knary: Knary, flags: list[str], message: str
) -> None:
    before = json.loads(knary("get", "ksvc", "hello", "-o", "json").out)
    refused = knary("service", "update", "hello", *flags, "--wait-window", "0")
    assert refused.status == 1
    assert message in refused.err
    if "nope=100" in flags:
        # kn leaves unknown revisions to the server, which keeps the traffic where it was.
        assert knary("curl", "hello").out == "Hello World!\n"
        knary("service", "update", "hello", "--traffic", "@latest=100")
        return
    after = json.loads(knary("get", "ksvc", "hello", "-o", "json").out)
    assert after["spec"] == before["spec"]


def test_a_tag_has_an_address_of_its_own(knary: Knary, instance: Instance) -> None:
    knary("service", "create", "tagged", "--image", IMAGE, "--tag", "@latest=first")
    assert knary("url", "tagged", "--tag", "first").out.startswith(
        "http://first-tagged.default.localhost:"
    )
    assert knary("curl", "tagged", "--tag", "first").out == "Hello World!\n"
    assert "has no tag 'x'" in knary("curl", "tagged", "--tag", "x").err
    assert "#first" in knary("service", "describe", "tagged").out
    assert instance.request("first-tagged.default.localhost").text == "Hello World!\n"


def test_curl_speaks_as_curl_does(knary: Knary) -> None:
    shown = knary("curl", "hello", "/any?x=1", "-i", "-X", "PUT", "-d", "body", "-H", "X-A: b")
    head, _, body = shown.out.partition("\n\n")
    assert head.splitlines()[0] == "HTTP/1.1 200 OK"
    assert body == "Hello World!\n"
    assert knary("curl", "hello", "-H", "nonsense") == Ended(
        2, "", "Error: -H wants 'NAME: VALUE', got 'nonsense'\n"
    )
    assert knary("curl", "absent").status == 1


def test_apply_creates_changes_and_leaves_alone(knary: Knary, tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(manifest("applied"))
    name = "service.serving.knative.dev/applied"
    assert knary("apply", "-f", str(path)) == Ended(0, f"{name} created\n", "")
    assert knary("curl", "applied").out == "Hello One!\n"
    assert knary("apply", "-f", str(path)).out == f"{name} unchanged\n"
    path.write_text(manifest("applied").replace("One", "Two"))
    assert knary("apply", "-f", str(path)).out == f"{name} configured\n"
    assert knary("curl", "applied").out == "Hello Two!\n"
    knary("service", "update", "applied", "--label-service", "mine=yes")
    path.write_text(manifest("applied").replace("Two", "Three"))
    knary("apply", "-f", str(tmp_path))
    found = json.loads(knary("get", "ksvc/applied", "-o", "json").out)
    assert found["metadata"]["labels"] == {"mine": "yes"}
    assert knary("delete", "-f", str(path)).out == 'service.serving.knative.dev "applied" deleted\n'
    assert knary("delete", "-f", str(path)).status == 1
    assert knary("delete", "-f", str(path), "--ignore-not-found") == Ended(0, "", "")


def test_apply_parses_everything_before_it_sends_anything(knary: Knary, tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(manifest("first") + "---\nkind: Service\n")
    refused = knary("apply", "-f", str(path))
    assert (refused.status, refused.err) == (2, f"Error: {path}:14: apiVersion is missing\n")
    assert knary("get", "ksvc", "first").status == 1


def test_apply_names_the_place_of_what_the_api_refuses(knary: Knary, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    traffic = [{"latestRevision": True, "percent": 90}]
    path.write_text(manifest("bad", traffic=traffic) + "---\n" + manifest("bad", unknown=1))
    refused = knary("apply", "-f", str(path))
    first, second = refused.err.splitlines()
    assert first == (
        f'Error: {path}:1: admission webhook "validation.webhook.serving.knative.dev" denied the'
        " request: validation failed: Traffic targets sum to 90, want 100: spec.traffic"
    )
    assert second.startswith(f"Error: {path}:")
    assert 'unknown field "spec.unknown"' in second
    assert refused.status == 1


def test_get_shows_tables_as_kubectl_does(knary: Knary) -> None:
    shown = knary("get", "ksvc", "hello")
    assert shown.rows[0] == ["NAME", "URL", "LATESTCREATED", "LATESTREADY", "READY", "REASON"]
    assert shown.rows[1][:2] == ["hello", "http://hello.default.example.com"]
    assert knary("get", "ksvc", "hello", "--no-headers").rows == shown.rows[1:]
    everywhere = knary("get", "revisions", "-A", "-l", "serving.knative.dev/service=hello")
    assert everywhere.rows[0][:2] == ["NAMESPACE", "NAME"]
    assert {row[0] for row in everywhere.rows[1:]} == {"default"}
    both = knary("get", "ksvc,routes", "hello", "-o", "name")
    assert both.out == "service.serving.knative.dev/hello\nroute.serving.knative.dev/hello\n"
    assert knary("get", "namespaces", "default", "-o", "name").out == "namespace/default\n"


def test_get_shows_objects_whole(knary: Knary) -> None:
    whole = yaml.safe_load(knary("get", "ksvc", "hello", "-o", "yaml").out)
    assert whole["kind"] == "Service"
    assert "managedFields" not in whole["metadata"]
    listed = json.loads(knary("get", "ksvc", "-o", "json").out)
    assert (listed["kind"], listed["apiVersion"]) == ("List", "v1")
    assert all(item["kind"] == "Service" for item in listed["items"])


def test_nothing_found_is_no_error_and_a_name_that_is_not_there_is_one(knary: Knary) -> None:
    nothing = Ended(0, "", "No resources found in kube-public namespace.\n")
    assert knary("get", "pods", "-n", "kube-public") == nothing
    assert knary("get", "clusterdomainclaims").err == "No resources found\n"  # they are in none
    assert knary("service", "list", "-n", "kube-public").out == "No services found.\n"
    assert knary("get", "ksvc", "nope") == Ended(
        1, "", 'Error: services.serving.knative.dev "nope" not found\nSee `knary get services -A`\n'
    )


def test_lists_have_kns_forms(knary: Knary) -> None:
    assert (
        knary("service", "list", "hello", "-o", "url").out == "http://hello.default.example.com\n"
    )
    assert knary("service", "describe", "hello", "-o", "url").out.startswith("http://hello.")
    for words in (("service", "list"), ("service", "ls"), ("ksvc", "list")):
        assert knary(*words, "hello").rows[1][0] == "hello"
    routes = knary("route", "list", "hello").rows
    assert routes == [
        ["NAME", "URL", "READY", "TRAFFIC"],
        ["hello", "http://hello.default.example.com", "True", routes[1][3]],
    ]
    assert routes[1][3].endswith("=100")
    described = knary("route", "describe", "hello").out
    assert "Service:    hello\n" in described
    assert "Traffic Targets:\n  100%  @latest (hello-" in described
    assert "Rollout:" not in described
    shown = knary("revision", "list", "-s", "hello").rows
    assert shown[0][:4] == ["NAME", "SERVICE", "TRAFFIC", "TAGS"]
    assert shown[1][1:3] == ["hello", "100%"]
    assert knary("revision", "list", "-s", "nope").status == 1


def test_any_object_is_described(knary: Knary) -> None:
    described = knary("describe", "route/hello")
    assert "Name:         hello" in described.out
    assert "  Url:  http://hello.default.example.com" in described.out
    assert knary("describe", "ksvc").status == 2


def test_logs_are_those_of_the_replicas(knary: Knary) -> None:
    whole = knary("logs", "hello").out
    assert "listening on port" in whole
    pod = knary("get", "pods", "-l", "serving.knative.dev/service=hello", "--no-headers").rows[0][0]
    assert "listening on port" in knary("logs", f"pod/{pod}", "--tail", "1").out
    assert knary("logs", "nope") == Ended(
        1,
        "",
        "Error: no logs of 'nope' in namespace 'default';"
        " see `knary get services,revisions,pods -A`\n",
    )
    assert knary("logs", "../../etc/passwd", "-n", "..").status == 1


def test_status_says_where_and_what(knary: Knary, instance: Instance) -> None:
    found = json.loads(knary("status", "-o", "json").out)
    assert found["schema"] == 1
    assert found["gateway"] == instance.description.gateway
    assert found["parent"] == {"pid": instance.parent.pid}
    ours = [replica for replica in found["replicas"] if replica["revision"].startswith("hello-")]
    assert {replica["ready"] for replica in ours} >= {True}
    assert f"Gateway:       {instance.description.gateway}" in knary("status").out
    assert knary("kubeconfig").out == f"{instance.paths.kubeconfig}\n"


def test_the_doctor_finds_the_running_instance(knary: Knary, instance: Instance) -> None:
    found = knary("doctor")
    assert found.status == 0
    assert f"ok    knary runs (pid {instance.parent.pid})" in found.out
    assert "fail" not in found.out


def test_an_instance_can_be_named_before_and_after_the_command(
    knary: Knary, instance: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KNARY_DATA", str(tmp_path))
    assert knary("get", "ksvc").status == 3
    data = str(instance.data)
    assert knary("--data", data, "get", "ksvc").status == 0
    assert knary("get", "ksvc", "--data", data).status == 0


def test_down_stops_everything_and_then_nothing_runs() -> None:
    with Instance() as own:
        stopped = own.run("down")
        assert stopped.out == f"knary in {own.data} has stopped.\n"
        assert own.wait() == 0
        assert own.left_over() == []
        again = own.run("down", check=False)
        assert (again.status, again.err.splitlines()[0]) == (
            3,
            f"Error: knary is not running in {own.data} (nothing runs there).",
        )


def test_manifests_are_applied_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(manifest("early"))
    with Instance("-f", str(path)) as own:
        assert own.get("early").text == "Hello One!\n"
