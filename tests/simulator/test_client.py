"""The API client on a real API server: requests, kept connections, watches, refusals."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.access.kubeconfig import parse_kubeconfig
from simulator.cli.kinds import NAMESPACE, POD, SERVICE
from simulator.client import (
    AnswerLost,
    ApiClient,
    ApiRefused,
    ClientSettings,
    Endpoint,
    NotReady,
    NotRunning,
    resource_path,
)
from tests.support.instance import Instance
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as running:
        yield running


@pytest.fixture
def client(instance: Instance) -> Iterator[ApiClient]:
    with instance.api() as opened:
        yield opened


def service(name: str, image: str = "helloworld-go") -> dict[str, object]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
    }


def test_objects_are_made_changed_and_deleted(client: ApiClient) -> None:
    made = client.create(SERVICE, "default", service("one"))
    assert made["metadata"]["generation"] == 1
    ready = client.wait_ready(SERVICE, "default", "one", 30)
    assert ready["status"]["latestReadyRevisionName"] == "one-00001"
    patch = {"metadata": {"labels": {"a": "b"}}}
    patched = client.merge_patch(SERVICE, "default", "one", patch)
    assert patched["metadata"]["labels"] == {"a": "b"}
    with pytest.raises(ApiRefused) as stale:
        client.update(SERVICE, "default", made)
    assert (stale.value.code, stale.value.reason) == (409, "Conflict")
    names = [item["metadata"]["name"] for item in client.list(SERVICE)["items"]]
    assert names == ["one"]
    client.delete(SERVICE, "default", "one")
    with pytest.raises(ApiRefused) as gone:
        client.get(SERVICE, "default", "one")
    assert gone.value.status["details"]["name"] == "one"


def test_warnings_are_passed_on(instance: Instance) -> None:
    heard: list[str] = []
    with ApiClient.from_kubeconfig(instance.paths.kubeconfig, warn=heard.append) as client:
        body = {**service("warned"), "extra": 1}
        client.create(SERVICE, "default", body, {"dryRun": "All", "fieldValidation": "Warn"})
    assert any("extra" in text for text in heard)


def test_what_is_not_ready_says_why(client: ApiClient) -> None:
    client.create(SERVICE, "default", service("bad", "no/such:1"))
    told: list[str] = []
    with pytest.raises(NotReady) as caught:
        client.wait_ready(
            SERVICE, "default", "bad", 30, 0.0, lambda _seconds, message: told.append(message)
        )
    assert caught.value.reason == "RevisionFailed"
    assert "no program is mapped to this image" in caught.value.message
    client.delete(SERVICE, "default", "bad")


def test_a_service_that_goes_ends_the_wait(instance: Instance, client: ApiClient) -> None:
    client.create(SERVICE, "default", service("going", "helloworld-go:never-ready"))
    with instance.api() as other:
        # Before the wait's first look, or after: both end it.
        deleting = threading.Thread(target=other.delete, args=(SERVICE, "default", "going"))
        deleting.start()
        with pytest.raises((NotReady, ApiRefused), match="going"):
            client.wait_ready(SERVICE, "default", "going", 30, 10)
        deleting.join()


def test_a_watch_sees_what_happens_after_a_version(client: ApiClient) -> None:
    path = resource_path(NAMESPACE, None)
    version = client.list(NAMESPACE)["metadata"]["resourceVersion"]
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "seen"}}
    with client.watch(path, {"resourceVersion": version}) as watch:
        with pytest.raises(TimeoutError):
            watch.next_event(0.05)
        client.create(NAMESPACE, "", body)
        event = watch.next_event(10)
    assert event is not None
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "seen")


def test_a_watch_ends_at_its_deadline(client: ApiClient) -> None:
    with client.watch(resource_path(POD, "seen"), {}, timeout_s=0.1) as watch:
        assert list(watch) == []


def test_a_watch_that_is_refused_says_why(client: ApiClient) -> None:
    with pytest.raises(ApiRefused) as caught:
        client.watch(resource_path(POD, "default"), {"labelSelector": "=="})
    assert caught.value.code == 400


def test_text_is_answered_as_text_and_what_is_nowhere_refused(client: ApiClient) -> None:
    assert client.request("GET", "/healthz") == "ok"
    with pytest.raises(ApiRefused, match="404 page not found"):
        client.request("GET", "/apis/eventing.knative.dev/v1/brokers")


def test_a_client_outlives_the_server_that_it_was_connected_to(
    instance: Instance, client: ApiClient
) -> None:
    assert client.list(NAMESPACE)["items"]
    victim = instance.pid("control-plane")
    os.kill(victim, signal.SIGKILL)

    def answers() -> bool:
        try:
            return bool(client.list(NAMESPACE)["items"])
        except (NotRunning, AnswerLost):
            return False

    eventually(
        "the end of the server", lambda: victim not in instance.pids().get("control-plane", [])
    )
    eventually("an answer", answers)


def endpoint(instance: Instance) -> Endpoint:
    path = instance.paths.kubeconfig
    return parse_kubeconfig(path.read_text(), path)


def test_a_wrong_token_is_refused(instance: Instance) -> None:
    other = dataclasses.replace(endpoint(instance), token="wrong")
    with ApiClient(other) as client, pytest.raises(ApiRefused) as caught:
        client.list(NAMESPACE)
    assert caught.value.code == 401


def test_strict_checks_of_certificates_pass(instance: Instance) -> None:
    """Python 3.13 asks for them by default."""
    found = endpoint(instance)
    context = ssl.create_default_context(cadata=found.authority_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    with (
        socket.create_connection((found.host, found.port), 10) as plain,
        context.wrap_socket(plain, server_hostname=found.host) as secured,
    ):
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_no_instance_and_another_server_are_told_apart_from_a_refusal(
    instance: Instance, tmp_path: Path
) -> None:
    with pytest.raises(NotRunning, match="it has no kubeconfig"):
        ApiClient.from_kubeconfig(tmp_path / "kubeconfig")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = dataclasses.replace(endpoint(instance), port=listening.getsockname()[1])
    with ApiClient(free) as client, pytest.raises(NotRunning, match="nothing answers at"):
        client.list(NAMESPACE)
    gateway = dataclasses.replace(endpoint(instance), port=instance.gateway[1])
    impatient = ClientSettings(connect_timeout_s=0.5)
    with ApiClient(gateway, impatient) as client, pytest.raises(NotRunning, match="is not it"):
        client.list(NAMESPACE)


def test_an_answer_has_a_bound(instance: Instance) -> None:
    settings = ClientSettings(answer_bytes_max=10)
    with (
        ApiClient(endpoint(instance), settings) as small,
        pytest.raises(AnswerLost, match="larger"),
    ):
        small.list(NAMESPACE)
