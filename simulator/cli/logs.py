"""`knary logs`: what replicas printed. Read from the instance's log files, one per replica, so
that it works for a replica that is gone, and while the control plane restarts.
"""

from __future__ import annotations

import re
import time

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import REVISION
from simulator.cli.logfiles import Line, LogFiles
from simulator.client import AnswerLost, NotRunning
from simulator.errors import KnaryError
from simulator.resources.meta import child_name

POLL_INTERVAL_S = 0.1
REVISIONS_INTERVAL_S = 2.0  # how often `-f` looks for new revisions of a service
LABEL_SERVICE = "serving.knative.dev/service"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@click.command("logs")
@click.argument("name", metavar="SERVICE|REVISION|POD")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last lines of each.")
@namespace_option
@instance_option
def logs(name: str, *, follow: bool, tail: int | None, namespace: str, instance: Instance) -> None:
    """Show what a service, a revision or a pod printed.

    \b
    Examples:
      knary logs helloworld-go
      knary logs helloworld-go-00002 -f --tail 10
    """
    name = name.rpartition("/")[2]
    # The names become parts of a path.
    for text in (name, namespace):
        if not _NAME.fullmatch(text):
            raise KnaryError(f"'{text}' is no name of an object")
    wanted = Wanted(instance, namespace, name)
    files = LogFiles(instance.paths.replica_logs / namespace, wanted.has)
    if tail is not None:
        files.skip_to_tail(tail)
    for line in [*files.read(), *([] if follow else files.rest())]:
        _show(line, files)
    if not files.pods:
        nothing = f"no logs of '{name}' in namespace '{namespace}'"
        if not follow:
            raise KnaryError(f"{nothing}; see `knary get services,revisions,pods -A`")
        output.note(f"There are {nothing} yet; waiting for them until Ctrl-C.")
    while follow:
        time.sleep(POLL_INTERVAL_S)
        wanted.refresh(time.monotonic())
        for line in files.read():
            _show(line, files)


class Wanted:
    """Which replicas a name means: a pod's, a revision's, or those of a service's revisions."""

    def __init__(self, instance: Instance, namespace: str, name: str) -> None:
        self._instance = instance
        self._namespace = namespace
        self._name = name
        self._revisions: set[str] = {name}
        self._asked_at = 0.0
        self.refresh(time.monotonic())

    def has(self, pod: str) -> bool:
        """Tell whether the replica of that name is meant."""
        if pod == self._name:
            return True
        # A replica's name begins as the ReplicaSet's that a cluster would have.
        return any(
            pod.startswith(f"{child_name(revision, '-deployment')}-")
            for revision in self._revisions
        )

    def refresh(self, now: float) -> None:
        """Ask the API for the service's revisions, now and then; what is known stays known."""
        if self._asked_at and now < self._asked_at + REVISIONS_INTERVAL_S:
            return
        self._asked_at = now
        query = {"labelSelector": f"{LABEL_SERVICE}={self._name}"}
        try:
            with self._instance.client() as client:
                items = client.list(REVISION, self._namespace, query)["items"]
        except (NotRunning, AnswerLost):
            if not self._instance.paths.replica_logs.exists():
                raise
            return
        self._revisions |= {item["metadata"]["name"] for item in items}


def _show(line: Line, files: LogFiles) -> None:
    """Print a line; say whose it is when several replicas print."""
    whose = f"{line.pod} | " if len(files.pods) > 1 else ""
    output.line(whose + output.clean(line.text))
