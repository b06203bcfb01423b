"""When a replica is asked how it does, and what the answers mean. Pure.

Kubernetes' rules, with Knative's for readiness: `periodSeconds: 0` asks at once and often. Before
the first success every readiness and startup probe is asked often, whatever its period: a period
is meant for a replica that runs, not for one that is awaited. Failures then count by time.
Every probe goes to the replica's own port.
Sources: core/v1 Probe; Knative `pkg/queue/readiness/probe.go`; grpc/grpc doc/health-checking.md.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from msgspec import Struct

from simulator.resources.podspec import Container, HttpGetAction, Probe
from simulator.supervisor.settings import SupervisorSettings

# RFC 9110: a field name is a token; a value has no control characters.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = re.compile(r"/[\x21-\x7e]*")
SERVICE_BYTES_MAX: Final = 1024
USER_AGENT: Final = "kube-probe/knary"  # Knative knows a probe by this prefix


class TcpCheck(Struct, frozen=True):
    """Passes when the port takes a connection."""


class HttpCheck(Struct, frozen=True):
    """Passes on a status from 200 to 399; a redirect is not followed."""

    request: bytes
    secure: bool = False
    url: str = ""


class GrpcCheck(Struct, frozen=True):
    """Passes when grpc.health.v1.Health says that the service is SERVING; "" is the server."""

    service: str


class ExecCheck(Struct, frozen=True):
    """Passes when the command exits with 0."""

    command: tuple[str, ...]


class BadCheck(Struct, frozen=True):
    """Can never pass, and says why."""

    why: str


Check = TcpCheck | HttpCheck | GrpcCheck | ExecCheck | BadCheck


class ProbePlan(Struct, frozen=True):
    """A probe with every default filled in."""

    check: Check
    delay_s: float
    period_s: float
    timeout_s: float
    passes_wanted: int
    failures_allowed: int  # so many in a row are a failure
    eager: bool  # Knative's aggressive probe: short time-outs until it passes

    @property
    def deadline_s(self) -> float:
        """Return how long after the start a startup probe may fail."""
        return self.delay_s + self.period_s * self.failures_allowed


class Plans(Struct, frozen=True):
    """A container's probes."""

    startup: ProbePlan | None
    readiness: ProbePlan
    liveness: ProbePlan | None


def plans_of(container: Container, port: int, settings: SupervisorSettings) -> Plans:
    """Return the container's probes; without a readiness probe a TCP connection decides."""
    readiness = container.readiness_probe or Probe()
    startup, liveness = container.startup_probe, container.liveness_probe
    return Plans(
        startup=None if startup is None else _plan(startup, port, settings),
        readiness=_plan(readiness, port, settings),
        liveness=None if liveness is None else _plan(liveness, port, settings),
    )


def _plan(probe: Probe, port: int, settings: SupervisorSettings) -> ProbePlan:
    return ProbePlan(
        check=_check(probe, port),
        delay_s=float(probe.initial_delay_seconds or 0),
        period_s=float(probe.period_seconds or settings.probe_period_s),
        timeout_s=float(probe.timeout_seconds or settings.probe_timeout_s),
        passes_wanted=probe.success_threshold or 1,
        failures_allowed=probe.failure_threshold or settings.probe_failure_threshold,
        eager=not probe.period_seconds,
    )


def _check(probe: Probe, port: int) -> Check:
    if probe.http_get is not None:
        return _http_check(probe.http_get, port)
    if probe.exec is not None:
        if not probe.exec.command:
            return BadCheck("the exec probe has no command")
        return ExecCheck(probe.exec.command)
    if probe.grpc is not None:
        return _grpc_check(probe.grpc.service or "")
    return TcpCheck()


def _grpc_check(service: str) -> Check:
    # It travels in one frame; no protobuf name comes near that.
    if len(service.encode()) > SERVICE_BYTES_MAX:
        return BadCheck("grpc.service is too long")
    return GrpcCheck(service)


def _http_check(action: HttpGetAction, port: int) -> Check:
    """Return the request to send; nothing in it can begin a second one."""
    path = action.path or "/"
    path = path if path.startswith("/") else f"/{path}"
    if not _TARGET.fullmatch(path):
        return BadCheck(f"httpGet.path {path!r} is no request target")
    headers = {"host": f"127.0.0.1:{port}", "user-agent": USER_AGENT, "accept": "*/*"}
    for header in action.http_headers:
        name, value = header.name.lower(), header.value
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            return BadCheck(f"httpGet.httpHeaders: {header.name!r} is no header")
        headers[name] = value
    headers["connection"] = "close"
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1")
    scheme = "https" if action.scheme.upper() == "HTTPS" else "http"
    return HttpCheck(request, scheme == "https", f"{scheme}://127.0.0.1:{port}{path}")


class Verdict(enum.Enum):
    """What a row of answers comes to."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


class Tally(Struct, frozen=True):
    """Answers of one kind in a row; an answer of the other kind begins anew."""

    passes: int = 0
    failures: int = 0


def judge(plan: ProbePlan, tally: Tally, passed: bool) -> tuple[Tally, Verdict]:  # noqa: FBT001
    """Count one answer, and say what the row now comes to."""
    if passed:
        tally = Tally(passes=min(tally.passes + 1, plan.passes_wanted))
        done = tally.passes >= plan.passes_wanted
        return tally, Verdict.PASSED if done else Verdict.OPEN
    tally = Tally(failures=min(tally.failures + 1, plan.failures_allowed))
    done = tally.failures >= plan.failures_allowed
    return tally, Verdict.FAILED if done else Verdict.OPEN


class Answer(enum.Enum):
    """What one question brings."""

    YES = "yes"
    NO = "no"
    NOBODY = "nobody listens"


def awaited_pause_s(
    plan: ProbePlan, answer: Answer, ran_s: float, settings: SupervisorSettings
) -> float:
    """Return the pause before a replica that is awaited is asked again.

    `ran_s` counts from its start. To find that nobody listens yet costs next to nothing, so that
    is asked very often at first; to run a command costs most.
    """
    if isinstance(plan.check, ExecCheck | BadCheck):
        return settings.exec_period_s
    if answer is Answer.NOBODY and ran_s < plan.delay_s + settings.eager_s:
        return settings.eager_period_s
    return settings.patient_period_s


def awaited_timeout_s(plan: ProbePlan, settings: SupervisorSettings) -> float:
    """Return how long an answer may take while the replica is awaited."""
    if plan.eager and isinstance(plan.check, TcpCheck):
        return settings.eager_timeout_s
    return plan.timeout_s


def status_of(answer: bytes) -> int | None:
    """Return the status code of an HTTP answer's first line; None when there is none."""
    match = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r\n]", answer)
    return None if match is None else int(match[1])
