"""Waiting for an object to be Ready, or to be gone, over the API: kn's rules.

Source: knative/client `pkg/wait/wait_for_ready.go`. A GET, then a watch from its
resourceVersion; Ready counts only when it was written for the object's present generation, and
False only once it has lasted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from simulator.access.errors import AnswerLost, ApiRefused, NotReady, NotRunning, WaitTimedOut
from simulator.access.resource import Document, Named, Query, ResourceInfo, resource_path
from simulator.access.watch import Watch
from simulator.resources.inforce import is_settled

Progress = Callable[[float, str], None]  # seconds since the wait began, Ready's message


def silent(_seconds: float, _message: str) -> None:
    """Show nothing."""


class Terms(NamedTuple):
    """How long to wait, how long False must last to count, both in seconds, and for what.

    `is_knarys`: for the annotations that the gateway obeys, too.
    """

    timeout_s: float
    window_s: float = 2.0
    condition: str = "Ready"
    is_knarys: bool = True


class Api(Protocol):
    """What waiting asks of a client; `simulator.client.ApiClient` is one."""

    is_knarys: bool

    def get(self, info: ResourceInfo, namespace: str, name: str) -> Document:
        """Return the object. Raise ApiRefused."""

    def watch(self, path: str, query: Query, timeout_s: float) -> Watch:
        """Open a watch of a collection."""


ANNOTATION_SPLITTER = "knary.dev/splitter"
_SPLIT = ("Service", "Route")  # the kinds whose status tells what the gateway obeys

OUTAGE_S_MAX = 5.0  # a control plane that is restarted answers again within a second or two
RETRY_INTERVAL_S = 0.2


class ReadyWait:
    """What was seen so far of one object, and what follows from it. Pure: time is an argument."""

    def __init__(self, kind: str, named: Named, terms: Terms, now: float) -> None:
        self._what = f"{kind} '{named.name}'"
        self._terms = terms
        self._failed_at: float | None = None
        self._failure = NotReady("", "")
        self.started = now

    def saw(self, found: Document, now: float) -> str:
        """Take in the object as it is now; return the condition's message, "" for none."""
        condition = current_condition(found, self._terms.condition)
        if condition is None:
            return ""
        status, message = condition.get("status"), str(condition.get("message", ""))
        if status != "False":
            self._failed_at = None
        elif self._failed_at is None:
            self._failed_at = now
            self._failure = NotReady(str(condition.get("reason", "")), message)
        return message

    def is_over(self, found: Document) -> bool:
        """Tell whether the object is as it was waited for."""
        if self._terms.is_knarys:
            return is_ready(found, self._terms.condition)
        condition = current_condition(found, self._terms.condition)
        return condition is not None and condition.get("status") == "True"

    def left_s(self, now: float) -> float:
        """Return the seconds until `check` may raise."""
        until = self.started + self._terms.timeout_s
        if self._failed_at is not None:
            until = min(until, self._failed_at + self._terms.window_s)
        return max(0.0, until - now)

    def check(self, now: float) -> None:
        """Raise NotReady when it has been False long enough, WaitTimedOut when time is up."""
        if self._failed_at is not None and now >= self._failed_at + self._terms.window_s:
            raise self._failure
        if now >= self.started + self._terms.timeout_s:
            seconds = int(self._terms.timeout_s)
            raise WaitTimedOut(f"timeout: {self._what} not ready after {seconds} seconds")


def current_condition(found: Document, type_: str = "Ready") -> dict[str, Any] | None:
    """Return the condition if it speaks of the object's present generation, else None."""
    status = found.get("status") or {}
    generation = found.get("metadata", {}).get("generation")
    if generation is not None and status.get("observedGeneration") != generation:
        return None
    for condition in status.get("conditions") or ():
        if condition.get("type") == type_:
            return dict(condition)
    return None


def ready_condition(found: Document) -> dict[str, Any] | None:
    """Return the Ready condition if it speaks of the object's present generation, else None."""
    return current_condition(found, "Ready")


def is_ready(found: Document, type_: str = "Ready") -> bool:
    """Knative's IsReady: the condition is True for the present generation.

    Of annotations no generation knows: the status says which ones of ours the gateway obeys, and
    they must be those that are asked for.
    """
    condition = current_condition(found, type_)
    if condition is None or condition.get("status") != "True":
        return False
    return found.get("kind") not in _SPLIT or is_settled(
        found["metadata"].get("annotations"), found["status"].get("annotations")
    )


def splitter_of(part: Document) -> str:
    """Return the splitter that an object's metadata asks for, or that its status tells; or ""."""
    return str((part.get("annotations") or {}).get(ANNOTATION_SPLITTER, ""))


def wait_ready(
    client: Api, kind: ResourceInfo, named: Named, terms: Terms, progress: Progress
) -> Document:
    """Return the object once its condition is True.

    Raise NotReady, WaitTimedOut, ApiRefused; NotRunning when the API is away for long.
    """
    terms = terms._replace(is_knarys=client.is_knarys)
    wait = ReadyWait(kind.kind.lower(), named, terms, time.monotonic())
    answered = time.monotonic()
    while True:
        try:
            found = client.get(kind, named.namespace, named.name)
            answered = time.monotonic()
            ready = _follow(client, kind, found, wait, progress)
        except (NotRunning, AnswerLost):
            # The control plane may be restarting: what it acknowledged is not lost by that.
            if time.monotonic() - answered > OUTAGE_S_MAX:
                raise
            ready = None
        if ready is not None:
            return ready
        wait.check(time.monotonic())
        time.sleep(min(RETRY_INTERVAL_S, wait.left_s(time.monotonic())))


def _follow(
    client: Api, kind: ResourceInfo, found: Document, wait: ReadyWait, progress: Progress
) -> Document | None:
    """Watch from this state on; return the Ready object, None when the watch ended first."""
    metadata = found["metadata"]
    wait.saw(found, time.monotonic())
    if wait.is_over(found):
        return found
    path = resource_path(kind, metadata.get("namespace", ""))
    query = {
        "fieldSelector": f"metadata.name={metadata['name']}",
        "resourceVersion": metadata["resourceVersion"],
    }
    with client.watch(path, query, wait.left_s(time.monotonic()) + 30) as watch:
        while True:
            try:
                event = watch.next_event(wait.left_s(time.monotonic()))
            except TimeoutError:
                wait.check(time.monotonic())
                continue
            except ApiRefused as error:
                if error.code == 410:  # the history is gone: look again
                    return None
                raise
            if event is None:
                return None
            if event["type"] == "DELETED":
                raise NotReady("Deleted", f"{metadata['name']} was deleted meanwhile")
            seen: Document = event["object"]
            if message := wait.saw(seen, time.monotonic()):
                progress(time.monotonic() - wait.started, message)
            if wait.is_over(seen):
                return seen


def wait_gone(client: Api, kind: ResourceInfo, found: Document, timeout_s: float) -> None:
    """Return once this object, by its uid, is there no more. Raise WaitTimedOut."""
    metadata = found["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            now = client.get(kind, namespace, name)
        except ApiRefused as error:
            if error.code == 404:
                return
            raise
        if now["metadata"].get("uid") != metadata.get("uid"):
            return
        if time.monotonic() >= deadline:
            what = f"{kind.kind.lower()} '{name}'"
            raise WaitTimedOut(f"timeout: {what} not deleted after {int(timeout_s)} seconds")
        _until_deleted(client, kind, now, deadline)


def _until_deleted(client: Api, kind: ResourceInfo, found: Document, deadline: float) -> None:
    """Watch until the object's DELETED event, the end of the watch, or the deadline."""
    metadata = found["metadata"]
    query = {
        "fieldSelector": f"metadata.name={metadata['name']}",
        "resourceVersion": metadata["resourceVersion"],
    }
    path = resource_path(kind, metadata.get("namespace", ""))
    timeout_s = max(0.0, deadline - time.monotonic())
    with client.watch(path, query, timeout_s) as watch:
        for event in watch:
            if event["type"] == "DELETED":
                return
    time.sleep(min(RETRY_INTERVAL_S, max(0.0, deadline - time.monotonic())))
