"""`knary logs`: what replicas printed. Read from the instance's log files, one per replica, so
that it works for a replica that is gone, and while the control plane restarts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import click
from msgspec.structs import replace

from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import POD, REVISION
from simulator.cli.logfiles import Line, LogFiles
from simulator.client import AnswerLost, NotRunning
from simulator.errors import KnaryError
from simulator.replicalogs.marks import nanoseconds
from simulator.replicalogs.reading import Wanted
from simulator.resources.durations import parse_duration
from simulator.resources.gotimes import flaw_of_moment
from simulator.resources.meta import child_name

POLL_INTERVAL_S = 0.1
REVISIONS_INTERVAL_S = 2.0  # how often `-f` looks for new revisions of a service
LABEL_SERVICE = "serving.knative.dev/service"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@click.command("logs")
@click.argument("name", metavar="SERVICE|REVISION|POD")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-p", "--previous", is_flag=True, help="The run before the last restart.")
@click.option("--since", metavar="DURATION", help="Only what is newer: 5s, 2m or 3h.")
@click.option("--since-time", metavar="TIME", help="Only what came after a time (RFC 3339).")
@click.option("--timestamps", is_flag=True, help="Write before each line when it was written.")
@click.option("--tail", type=int, default=-1, metavar="N", help="Only the last lines of each.")
@click.option(
    "--limit-bytes", type=int, default=0, metavar="N", help="At most so many bytes of each."
)
@namespace_option
@instance_option
def logs(
    *,
    name: str,
    follow: bool,
    previous: bool,
    since: str | None,
    since_time: str | None,
    timestamps: bool,
    tail: int,
    limit_bytes: int,
    namespace: str,
    instance: Instance,
) -> None:
    """Show what a service, a revision or a pod printed.

    \b
    Examples:
      knary logs helloworld-go
      knary logs helloworld-go-00002 -f --tail 10
      knary logs helloworld-go --previous --timestamps
    """
    name = name.rpartition("/")[2]
    # The names become parts of a path.
    for text in (name, namespace):
        if not _NAME.fullmatch(text):
            raise KnaryError(f"'{text}' is no name of an object")
    if tail < -1:
        raise UsageError("--tail must be greater than or equal to -1")
    if limit_bytes < 0:
        raise UsageError("--limit-bytes must be greater than 0")
    wanted = Wanted(
        previous=previous,
        tail_lines=tail if tail >= 0 else None,
        since_ns=since_of(since, since_time, time.time_ns()),
        timestamps=timestamps,
    )
    meant = Meant(instance, namespace, name, wanted)
    files = LogFiles(instance.paths.replica_logs, namespace, meant.of, limit_bytes or None)
    try:
        # The run before is over, and gets no longer.
        _show_all(files, meant, follow=follow and not previous)
    finally:
        files.close()


def since_of(since: str | None, since_time: str | None, now_ns: int) -> int | None:
    """Return the moment that both options name. Raise UsageError, in kubectl's words.

    Source: kubectl's `pkg/cmd/logs/logs.go` (ToLogOptions, Validate).
    """
    try:
        age_ns = parse_duration(since or "0")
    except ValueError:
        unit = "missing unit in duration" if (since or "").isdigit() else "invalid duration"
        raise UsageError(
            f'invalid argument "{since}" for "--since" flag: time: {unit} "{since}"'
        ) from None
    if not since_time:
        if age_ns < 0:
            raise UsageError("--since must be greater than 0")
        return now_ns - age_ns if age_ns else None
    if age_ns:
        raise UsageError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    flaw = flaw_of_moment(since_time)
    if flaw is not None:
        raise UsageError(flaw)
    return nanoseconds(since_time)


def _show_all(files: LogFiles, meant: Meant, *, follow: bool) -> None:
    for line in [*files.read(), *([] if follow else files.rest())]:
        _show(line, files)
    if not files.pods:
        if not follow:
            raise KnaryError(f"{meant.nothing}; see `knary get services,revisions,pods -A`")
        output.note(f"There are {meant.nothing} yet; waiting for them until Ctrl-C.")
    while follow and not files.has_all:
        time.sleep(POLL_INTERVAL_S)
        meant.refresh(time.monotonic())
        for line in files.read():
            _show(line, files)


class Meant:
    """Which replicas a name means: a pod's, a revision's, or those of a service's revisions."""

    def __init__(self, instance: Instance, namespace: str, name: str, wanted: Wanted) -> None:
        self._instance = instance
        self._namespace = namespace
        self._name = name
        self._wanted = wanted
        self._revisions: set[str] = {name}
        self._crashed: set[str] = set()
        self._asked_at = 0.0
        self.refresh(time.monotonic())

    @property
    def nothing(self) -> str:
        """Return what there is not, when no replica has what is wanted."""
        which = "previous logs" if self._wanted.previous else "logs"
        return f"no {which} of '{self._name}' in namespace '{self._namespace}'"

    def of(self, pod: str) -> Wanted | None:
        """Return what is wanted of the replica of that name, None if it is not meant.

        Of one that waits to be started again the newest run is the one that ended.
        """
        # A replica's name begins as the ReplicaSet's that a cluster would have.
        if pod != self._name and not any(
            pod.startswith(f"{child_name(revision, '-deployment')}-")
            for revision in self._revisions
        ):
            return None
        return replace(self._wanted, previous=False) if pod in self._crashed else self._wanted

    def refresh(self, now: float) -> None:
        """Ask the API for the service's revisions, now and then; what is known stays known."""
        if self._asked_at and now < self._asked_at + REVISIONS_INTERVAL_S:
            return
        self._asked_at = now
        query = {"labelSelector": f"{LABEL_SERVICE}={self._name}"}
        try:
            with self._instance.client() as client:
                items = client.list(REVISION, self._namespace, query)["items"]
                pods = client.list(POD, self._namespace)["items"] if self._wanted.previous else []
        except (NotRunning, AnswerLost):
            if not self._instance.paths.replica_logs.exists():
                raise
            return
        self._revisions |= {item["metadata"]["name"] for item in items}
        self._crashed = {pod["metadata"]["name"] for pod in pods if _waits_after_a_crash(pod)}


def _waits_after_a_crash(pod: Mapping[str, Any]) -> bool:
    """Tell whether the Pod's newest run ended, and none goes on."""
    return any(
        "waiting" in status.get("state", {}) and "terminated" in status.get("lastState", {})
        for status in pod.get("status", {}).get("containerStatuses", ())
    )


def _show(line: Line, files: LogFiles) -> None:
    """Print a line; say whose it is when several replicas print."""
    whose = f"{line.pod} | " if len(files.pods) > 1 else ""
    output.line(whose + output.clean(line.text))
