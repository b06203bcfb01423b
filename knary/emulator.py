"""`knary.Emulator`: a whole knary for as long as a `with` block, from any program or test.

with knary.Emulator() as emulator:
    emulator.apply("service.yaml")
    assert emulator.request("hello").text == "Hello World!\\n"
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from knary import manifests, traffic
from knary.cluster import Document
from knary.faults import fault_of
from knary.instance import Instance, is_setting
from knary.manifests import Manifest
from knary.observing import Rates, Split, judge, requests_for
from knary.problems import ApiRefused, EmulatorError, NotReady, NotStarted
from knary.reporting import LABEL_SERVICE, why_not_ready
from knary.requesting import Answer
from knary.sequential import DETECTABLE, FALSE_ALARM, MISS
from knary.splits import PERCENT, SplitReport
from knary.starting import FREE_PORTS, start

READY_S_MAX = 60.0
ANNOTATION_SPLITTER = "knary.dev/splitter"

Sent = TypeVar("Sent")


class Emulator:
    """A knary of its own, on free ports, in a temporary folder; nothing of it outlives the block.

    Nor this process, also when it is killed. Methods may be called from several threads.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        splitter: str | None = None,
        seed: int | None = None,
        images: str | os.PathLike[str] | None = None,
        data: str | os.PathLike[str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """Take the wishes of `knary up`'s flags; `options` are more of them, as one types them.

        With `data` the state is kept in that folder.
        """
        place = ["--ephemeral"] if data is None else ["--data", str(Path(data).absolute())]
        wishes = [("--splitter", splitter), ("--seed", seed), ("--images", images)]
        given = [
            f"{flag}={os.fspath(value) if not isinstance(value, int) else value}"
            for flag, value in wishes
            if value is not None
        ]
        self._options = [*place, *FREE_PORTS, "--workers", str(workers), *given, *options]
        self._instance: Instance | None = None

    # Its life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Start it; return when it is ready. Raise NotStarted with what it said."""
        if self._instance is None:
            self._instance = Instance(start(self._options))
        return self

    def close(self) -> None:
        """Stop it; return when nothing of it is left. May be called again."""
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.close()

    @property
    def is_running(self) -> bool:
        """Tell whether it runs; one that died says so."""
        return self._instance is not None and self._instance.running.process.poll() is None

    # Where it is -------------------------------------------------------------------------------

    @property
    def env(self) -> dict[str, str]:
        """Return the variables by which programs find it: KUBECONFIG, KNARY_GATEWAY and so on."""
        return self._running.running.environment

    @property
    def kubeconfig(self) -> Path:
        """Return the file that leads `kubectl`, `kn` and Kubernetes' libraries to it."""
        return self._running.data / "kubeconfig"

    @property
    def gateway(self) -> str:
        """Return the base URL of all services; a request's Host says which one it is for."""
        return str(self._running.description["gateway"])

    def host(self, service: str, *, tag: str = "", namespace: str = "default") -> str:
        """Return the Host of a service, or of one of its tags."""
        return self._running.host_of(namespace, service, tag)

    def url(self, service: str, *, tag: str = "", namespace: str = "default") -> str:
        """Return the address of a service for browsers and curl; others ask `gateway`."""
        description = self._running.description
        host = self.host(service, tag=tag, namespace=namespace)
        name = host.removesuffix(f".{description['domain']}")
        port = urlsplit(description["gateway"]).port
        return f"http://{name}.localhost:{port}"

    # Objects -----------------------------------------------------------------------------------

    def apply(
        self,
        manifest: Manifest,
        *,
        namespace: str = "default",
        wait: bool = True,
        timeout_s: float = READY_S_MAX,
    ) -> list[Document]:
        """Create or change objects as a manifest says; return them once they are in force.

        The manifest is YAML text, a file or folder, an object, or several. A Service is in force
        when the very next request obeys, a ConfigMap in `knative-serving` when all that there is
        does. Raise NotReady, with what its replicas printed.
        """
        cluster = self._changing.cluster
        read = manifests.read(manifest)
        before = self._running.ready_services() if any(map(is_setting, read)) else []
        sent = [cluster.apply(one, namespace) for one in read]
        if not wait:
            return sent
        self._running.wait_for_settings(filter(is_setting, sent), before, timeout_s)
        done = []
        for one in sent:
            kind = cluster.kind_of(one)
            there, name = one["metadata"].get("namespace", ""), one["metadata"]["name"]
            try:
                has_ready = one["apiVersion"].startswith("serving.knative.dev/")
                done.append(cluster.wait(kind, there, name, timeout_s) if has_ready else one)
            except NotReady as error:
                raise NotReady(f"{error}{why_not_ready(self, name, there)}") from None
        return done

    def get(self, kind: str, name: str, *, namespace: str = "default") -> Document:
        """Return an object; `kind` as kubectl takes it: ksvc, revision, routes, configmap.

        Raise ApiRefused, whose code is 404, when there is none.
        """
        cluster = self._running.cluster
        return cluster.get(cluster.kind(kind), namespace, name)

    def objects(
        self, kind: str, *, selector: str = "", namespace: str = "default"
    ) -> list[Document]:
        """Return the objects of a kind; `selector` is a label selector."""
        cluster = self._running.cluster
        return cluster.items(cluster.kind(kind), namespace, selector)

    def revisions(self, service: str, *, namespace: str = "default") -> list[str]:
        """Return the names of a service's revisions, the oldest first."""
        selector = f"{LABEL_SERVICE}={service}"
        found = self.objects("revisions", selector=selector, namespace=namespace)
        return sorted(one["metadata"]["name"] for one in found)

    def delete(self, kind: str, name: str, *, namespace: str = "default") -> None:
        """Delete an object and what belongs to it; the gateway may obey a moment later."""
        cluster = self._changing.cluster
        cluster.delete(cluster.kind(kind), namespace, name)

    def wait(
        self, service: str, *, namespace: str = "default", timeout_s: float = READY_S_MAX
    ) -> Document:
        """Return a Service once it is Ready. Raise NotReady, WaitTimedOut."""
        return self._running.cluster.wait(self._running.service, namespace, service, timeout_s)

    # Traffic -----------------------------------------------------------------------------------

    def traffic(
        self,
        service: str,
        percents: Mapping[str, int],
        *,
        tags: Mapping[str, str] | None = None,
        namespace: str = "default",
        timeout_s: float = READY_S_MAX,
    ) -> Document:
        """Split a service's traffic; return the Service when the very next request obeys.

        Revisions are named in full, or like 00002 without the service's name, or `@latest`. `tags`
        gives tags to revisions; those that were given before stay.
        """
        found = self.get("ksvc", service, namespace=namespace)
        before = found["spec"].get("traffic") or ()
        entries = traffic.split_among(service, percents, tags or {}, before)
        return self._set_traffic(service, namespace, entries, timeout_s)

    def rollback(
        self,
        service: str,
        to: str | None = None,
        *,
        namespace: str = "default",
        timeout_s: float = READY_S_MAX,
    ) -> str:
        """Send all traffic to an older revision: `to`, else the newest older one that is ready.

        Return its name, when no request reaches another revision any more.
        """
        found = self.get("ksvc", service, namespace=namespace)
        selector = f"{LABEL_SERVICE}={service}"
        revisions = self.objects("revisions", selector=selector, namespace=namespace)
        wanted = None if to is None else traffic.full_name(service, to)
        try:
            target = traffic.rollback_target(found, revisions, wanted)
        except traffic.NoWayBack as error:
            raise EmulatorError(str(error)) from error
        before = found["spec"].get("traffic") or ()
        entries = traffic.split_among(service, {target: PERCENT}, {}, before)
        self._set_traffic(service, namespace, entries, timeout_s)
        return target

    def _set_traffic(
        self, service: str, namespace: str, entries: Sequence[Document], timeout_s: float
    ) -> Document:
        cluster, kind = self._changing.cluster, self._running.service
        cluster.patch(kind, namespace, service, {"spec": {"traffic": entries}})
        # Not Ready, which stays False as long as the newest revision is broken: that is when one
        # goes back from it.
        return cluster.wait(kind, namespace, service, timeout_s, "RoutesReady")

    # Requests ----------------------------------------------------------------------------------

    def request(
        self,
        service: str,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        tag: str = "",
        namespace: str = "default",
    ) -> Answer:
        """Send one request to a service through the gateway; return what came back, and from whom.

        To a cluster-local service, too: it is asked on the gateway's port for the inside.
        """
        host = self.host(service, tag=tag, namespace=namespace)
        encoded = body.encode() if isinstance(body, str) else body
        return self._running.port_of(host).send(
            method, path, encoded, {"Host": host, **(headers or {})}
        )

    def assert_split(
        self,
        service: str,
        percents: Mapping[str, float],
        requests: int | None = None,
        *,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        tag: str = "",
        namespace: str = "default",
        detectable: float = DETECTABLE * PERCENT,
        false_alarm: float = FALSE_ALARM,
        miss: float = MISS,
    ) -> SplitReport:
        """Send requests to a service; raise SplitError unless they are split by `percents`.

        Revisions are named as `traffic` takes them. Where the splitter has a proven bound, that
        decides about `requests` requests (two cycles and more); elsewhere the sequential test
        decides, after as many as it needs. See `knary.assert_split` for the rates.
        """
        found = self.get("ksvc", service, namespace=namespace)
        latest = (found.get("status") or {}).get("latestReadyRevisionName", "")
        names = {name: traffic.full_name(service, name) for name in percents}
        wanted = {
            latest if full == traffic.LATEST else full: percents[name]
            for name, full in names.items()
        }
        description = self._running.description
        chosen = found["metadata"].get("annotations", {}).get(ANNOTATION_SPLITTER)
        split = Split(wanted, chosen or description["splitter"], description["workers"])
        host = self.host(service, tag=tag, namespace=namespace)
        sent = {"Host": host, **(headers or {})}
        if split.workers > 1:
            sent["Connection"] = "close"  # another connection may meet another worker
        port = self._running.port_of(host)
        answers = (
            port.send("GET", path, None, sent) for _ in range(requests or requests_for(split))
        )
        return judge(answers, split, Rates(detectable, false_alarm, miss))

    def fault(
        self, service: str, type_: str, /, *, namespace: str = "default", **wishes: Any
    ) -> str:
        """Do a fault to a service's requests until it is healed; return its name (docs/faults.md).

        Wishes are `name`, `revision`, `tag`, `stream`, `toxicity`, and else the type's attributes.
        """
        (made,) = self.apply(fault_of(service, type_, wishes), namespace=namespace)
        self._running.console.call("POST", "/knary/settle")
        return str(made["metadata"]["name"])

    def heal(self, fault: str, *, namespace: str = "default") -> None:
        """Remove a fault; the very next request has it no more."""
        self.delete("faults", fault, namespace=namespace)
        self._running.console.call("POST", "/knary/settle")

    # What happened -----------------------------------------------------------------------------

    def logs(self, service: str, *, tail: int | None = None, namespace: str = "default") -> str:
        """Return what a service's replicas printed, the last `tail` lines of each or all."""
        cluster = self._running.cluster
        query = {} if tail is None else {"tailLines": str(tail)}
        pods = cluster.items(cluster.kind("pods"), namespace, f"{LABEL_SERVICE}={service}")
        printed = []
        for pod in pods:
            name = pod["metadata"]["name"]
            with contextlib.suppress(ApiRefused):  # it has not started, or it is gone by now
                text = cluster.text(f"{cluster.kind('pods').path(namespace, name)}/log", query)
                printed.append(text if len(pods) == 1 else f"[{name}]\n{text}")
        return "\n".join(printed)

    def events(self, *, namespace: str = "default") -> list[Document]:
        """Return the Events of a namespace, the oldest first."""
        return sorted(
            self.objects("events", namespace=namespace),
            key=lambda one: one.get("lastTimestamp") or one["metadata"]["creationTimestamp"],
        )

    @property
    def log_file(self) -> Path:
        """Return the file that knary's own processes log to."""
        return self._running.data / "knary.log"

    @property
    def status(self) -> Document:
        """Return the document of `knary status -o json`: docs/status.md."""
        found: Document = self._running.console.call("GET", "/knary/status")
        return found

    # The state as a whole ----------------------------------------------------------------------

    def reset(self, *, seed: int | None = None) -> None:
        """Lead everything back to the baseline, which is how it began; the gateway obeys at once.

        Splits begin anew, with `seed`, else with the one that it was started with.
        """
        body = None if seed is None else {"seed": seed}
        self._changing.console.call("POST", "/knary/reset", body)

    def baseline(self) -> None:
        """Let what there is now be what `reset` leads back to."""
        self._running.console.call("POST", "/knary/baseline")

    def seed(self, seed: int | None) -> None:
        """Let all splits begin anew with this seed; None is chance."""
        self._running.console.call("POST", "/knary/seed", {"seed": seed})

    def snapshot(self) -> Document:
        """Return the state: docs/testing.md has its schema."""
        found: Document = self._running.console.call("GET", "/knary/snapshot")
        return found

    def restore(self, snapshot: Mapping[str, Any] | str | os.PathLike[str]) -> None:
        """Make the state that of a snapshot, or of a file that `knary snapshot save` wrote."""
        document = snapshot
        if not isinstance(document, Mapping):
            try:
                document = json.loads(Path(document).read_bytes())
            except (OSError, ValueError) as error:
                raise EmulatorError(f"cannot read the snapshot {snapshot}: {error}") from error
        self._changing.console.call("PUT", "/knary/snapshot", document)

    # Its instance ---------------------------------------------------------------------------------

    @property
    def _running(self) -> Instance:
        if self._instance is None:
            raise NotStarted("the emulator does not run: use it in a `with` block, or call start()")
        return self._instance

    @property
    def _changing(self) -> Instance:
        """Return the instance for a call that may change which hosts there are."""
        instance = self._running
        instance.hosts.clear()
        return instance
