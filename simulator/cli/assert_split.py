"""`knary assert-split`: send requests until it is known whether they are split as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from knary.sequential import DETECTABLE, FALSE_ALARM, MISS
from simulator.cli import exits, output
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.instance import Instance, host_and_port, instance_option, namespace_option
from simulator.cli.kinds import SERVICE

if TYPE_CHECKING:
    from knary.splits import SplitReport
    from simulator.load.plan import Answer, LoadPlan, Protocol

PERCENT = 100
REQUESTS_BY_BOUND = 200  # a bound judges any number; these are sent unless told otherwise
REQUESTS_MAX = 1_000_000
RATE = click.FloatRange(0, 1, min_open=True, max_open=True)


class Rates(NamedTuple):
    """What the sequential test promises; `detectable` is in percentage points."""

    detectable: float
    false_alarm: float
    miss: float


@click.command("assert-split")
@click.argument("service")
@click.option(
    "--expect",
    metavar="REV=PCT,...",
    help="Percent per revision; they sum to 100 [default: what the service reports].",
)
@click.option(
    "--requests",
    type=click.IntRange(1, REQUESTS_MAX),
    metavar="N",
    help=f"Send at most N [default: {REQUESTS_BY_BOUND} by a bound; else as many as it takes].",
)
@click.option(
    "--splitter",
    metavar="NAME",
    help="How requests are split [default: what the service or the instance says].",
)
@click.option(
    "--detectable",
    type=click.FloatRange(0, PERCENT, min_open=True, max_open=True),
    default=DETECTABLE * PERCENT,
    show_default=True,
    metavar="POINTS",
    help="Without a bound: the error of a share, in percentage points, that must not pass.",
)
@click.option(
    "--false-alarm",
    type=RATE,
    default=FALSE_ALARM,
    show_default=True,
    metavar="P",
    help="Without a bound: the chance that a right split fails.",
)
@click.option(
    "--miss",
    type=RATE,
    default=MISS,
    show_default=True,
    metavar="P",
    help="Without a bound: the chance that a split wrong by --detectable passes.",
)
@click.option(
    "--protocol",
    type=click.Choice(["http1", "h2c", "grpc"]),
    default="http1",
    show_default=True,
    help="As in `knary load`.",
)
@click.option("--path", metavar="PATH", help="As in `knary load`.")
@click.option("-o", "--output", "form", type=click.Choice(["json"]), help="Form of the output.")
@namespace_option
@instance_option
def assert_split(
    service: str,
    expect: str | None,
    requests: int | None,
    splitter: str | None,
    detectable: float,
    false_alarm: float,
    miss: float,
    protocol: Protocol,
    path: str | None,
    form: str | None,
    namespace: str,
    instance: Instance,
) -> int:
    """Send requests, one after the other, until it is known whether they are split as asked.

    With a splitter whose bound is proven (stratified, exact) the bound decides; with any other a
    sequential test does, with the error rates stated. Nothing else may send to the service
    meanwhile. Ends with 1 if the split is wrong, 5 if --requests were too few to tell.

    \b
    Examples:
      knary assert-split helloworld-go
      knary assert-split helloworld-go --expect helloworld-go-00001=90,helloworld-go-00002=10
      knary assert-split helloworld-go --detectable 2 --false-alarm 1e-6
    """
    from simulator.access.waiting import splitter_of
    from simulator.scenario.theatre import Interrupted

    with instance.client() as client:
        found = client.get(SERVICE, namespace, service)
    _refuse_one_session(found, service)
    description = instance.description()
    percents = _percents(expect) if expect else reported_percents(found, service)
    known = splitter or splitter_of(found["metadata"]) or str(description.get("splitter", ""))
    rates = Rates(detectable, false_alarm, miss)
    plan = _plan(found, description, protocol, path)
    try:
        answers = _ask(plan, percents, known, requests, rates)
    except Interrupted:
        return exits.INTERRUPTED
    return _judge(answers, percents, known, int(description.get("workers", 1)), rates, form)


def _refuse_one_session(service: Mapping[str, Any], name: str) -> None:
    """Raise CommandFailed when all requests from here are one session, which stays."""
    from simulator.resources.serving import ANNOTATION_STICKY

    if (service["metadata"].get("annotations") or {}).get(ANNOTATION_STICKY) == "address":
        raise CommandFailed(
            f"service '{name}' keeps sessions by address, and all requests from here are one: its"
            " split cannot be seen from one machine (docs/sticky.md)"
        )


def _ask(
    plan: LoadPlan,
    percents: Mapping[str, float],
    splitter: str,
    requests: int | None,
    rates: Rates,
) -> list[Answer]:
    """Return the answers to as many requests as it takes, in the order of sending."""
    from msgspec import structs

    from knary.sequential import Finding, SequentialSplitTest
    from knary.splits import bound_of
    from simulator.load.generator import Load
    from simulator.load.schedule import AsFastAsPossible
    from simulator.scenario.theatre import run_interruptible

    by_bound = bound_of(splitter, len(percents)) is not None
    most = requests or (REQUESTS_BY_BOUND if by_bound else REQUESTS_MAX)
    test = SequentialSplitTest(
        {name: percent / PERCENT for name, percent in percents.items()},
        detectable=rates.detectable / PERCENT,
        false_alarm=rates.false_alarm,
        miss=rates.miss,
    )
    answers: list[Answer] = []

    def observe(answer: Answer) -> None:
        answers.append(answer)
        test.count(answer.revision)
        if answer.error or (not by_bound and test.finding() is not Finding.UNDECIDED):
            load.end()

    load = Load(structs.replace(plan, schedule=AsFastAsPossible(count=most)), observe)
    run_interruptible(load.run)
    return answers


def _judge(
    answers: Sequence[Answer],
    percents: Mapping[str, float],
    splitter: str,
    workers: int,
    rates: Rates,
    form: str | None,
) -> int:
    """Print what was found; return the exit status."""
    from knary.splits import SplitError, SplitReport, TooFewRequests
    from knary.splits import assert_split as judge

    for answer in answers:
        if answer.error:
            what = answer.text or answer.error
            raise CommandFailed(f"request {answer.sequence + 1} failed ({answer.error}): {what}")
    order = [answer.revision for answer in answers]
    status = exits.OK
    try:
        report = judge(
            order,
            percents,
            splitter=splitter,
            workers=workers,
            detectable=rates.detectable,
            false_alarm=rates.false_alarm,
            miss=rates.miss,
        )
    except SplitError as error:
        status = exits.UNDECIDED if isinstance(error, TooFewRequests) else exits.FAILED
        if not form:
            raise CommandFailed(str(error), status) from error
        counts = {name: order.count(name) for name in sorted(set(order))}
        report = SplitReport(counts, "", str(error))
    if form:
        output.document(_document(report, percents, splitter, status), form)
    else:
        output.line(report.sentence[:1].upper() + report.sentence[1:])
    return status


def _document(
    report: SplitReport, percents: Mapping[str, float], splitter: str, status: int
) -> dict[str, Any]:
    findings = {exits.OK: "right", exits.FAILED: "wrong", exits.UNDECIDED: "undecided"}
    return {
        "schema": "knary.split/v1",
        "finding": findings[status],
        "splitter": splitter,
        "method": report.method,
        "requests": report.requests,
        "percents": dict(percents),
        "counts": dict(report.counts),
        "sentence": report.sentence,
    }


def _percents(expect: str) -> dict[str, float]:
    percents: dict[str, float] = {}
    for part in expect.split(","):
        name, sign, value = part.partition("=")
        try:
            percents[name] = float(value.removesuffix("%"))
        except ValueError:
            sign = ""
        if not sign or not name or not 0 <= percents.get(name, -1) <= PERCENT:
            raise UsageError(f"--expect {part!r}: want REVISION=PERCENT, from 0 to 100")
    total = sum(percents.values())
    if abs(total - PERCENT) > 1e-9:
        raise UsageError(f"--expect {expect!r}: the percents sum to {total:g}, want 100")
    return percents


def reported_percents(service: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return the percents in force, as fine as `knary.dev/traffic-percent` has them."""
    from simulator.resources.percents import LATEST, POINT, parse_percents, why_unfit
    from simulator.resources.serving import ANNOTATION_TRAFFIC_PERCENT

    revisions: dict[str, str] = {}
    whole: dict[str, int] = {}
    for target in (service.get("status") or {}).get("traffic") or ():
        entry = LATEST if target.get("latestRevision") else str(target.get("revisionName", ""))
        revisions[entry] = str(target.get("revisionName", ""))
        whole[entry] = whole.get(entry, 0) + int(target.get("percent") or 0)
    if sum(whole.values()) != PERCENT:
        raise CommandFailed(
            f"service '{name}' reports no traffic yet: see `knary service describe {name}`"
        )
    annotations = service["metadata"].get("annotations") or {}
    fine = {entry: percent * POINT for entry, percent in whole.items()}
    with suppress(ValueError):  # none is given, or what is given says nothing
        asked = parse_percents(annotations.get(ANNOTATION_TRAFFIC_PERCENT, ""))
        if not why_unfit(asked, {entry: percent for entry, percent in whole.items() if percent}):
            fine |= asked
    percents: dict[str, float] = {}
    for entry, revision in revisions.items():
        percents[revision] = percents.get(revision, 0) + fine[entry] / POINT
    return percents


def _plan(
    service: dict[str, Any],
    description: Mapping[str, Any],
    protocol: Protocol,
    path: str | None,
) -> LoadPlan:
    from simulator.cli.urls import Gateway, reach_of
    from simulator.load.plan import GRPC_METHOD, LoadPlan
    from simulator.load.schedule import AsFastAsPossible

    reach = reach_of(service, None, Gateway.of(description))
    address, port = host_and_port(reach.gateway)
    return LoadPlan(
        address=address,
        port=port,
        host=reach.host,
        schedule=AsFastAsPossible(count=1),
        path=path or (GRPC_METHOD if protocol == "grpc" else "/"),
        connections_max=1,
        protocol=protocol,
    )
