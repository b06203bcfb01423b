"""`knary load`: requests at a steady rate, and who answered them how fast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from simulator.cli import exits, output
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.instance import Instance, host_and_port, instance_option, namespace_option
from simulator.cli.kinds import SERVICE
from simulator.cli.thresholdoption import (
    ThresholdCommand,
    show_outcomes,
    status_of,
    threshold_option,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knary.thresholds import Outcome, Threshold
    from simulator.load.plan import LoadPlan, Protocol
    from simulator.load.report import LoadReport
    from simulator.load.schedule import Arrivals, Schedule

RATE_MIN_PER_S, RATE_MAX_PER_S = 0.001, 100_000.0
RATE_DEFAULT, DURATION_DEFAULT = "100", "10s"
ARRIVALS = ("constant", "poisson")
CONNECTIONS_MAX = 1024
STDOUT = "-"


@click.command("load", cls=ThresholdCommand)
@click.argument("service")
@click.option(
    "--rate",
    metavar="R",
    help="Requests per second, whether or not earlier ones were answered [default: 100]; steps as"
    " 100,200,500 or 100..1000/10.",
)
@click.option(
    "--arrivals",
    type=click.Choice(ARRIVALS),
    help="Evenly spaced, or at random as from many users [default: constant].",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of Poisson arrivals [default: 0].")
@click.option("--duration", metavar="TIME", help="How long: 500ms, 10s, 1m30s [default: 10s].")
@click.option(
    "--requests",
    type=click.IntRange(1),
    metavar="N",
    help="Instead of a rate: N requests, as fast as the connections go.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, CONNECTIONS_MAX),
    metavar="N",
    help="Connections at most [default: 64; with --requests, h2c or grpc 1].",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Send from so many processes, for rates that one cannot keep [default: 1].",
)
@click.option("--timeout", default="10s", metavar="TIME", show_default=True, help="Per request.")
@click.option(
    "--protocol",
    type=click.Choice(["http1", "h2c", "grpc"]),
    default="http1",
    show_default=True,
    help="HTTP/1.1, HTTP/2 without TLS, or unary gRPC calls with an empty message.",
)
@click.option(
    "--path",
    metavar="PATH",
    help="What to ask for; of grpc the method [default: /; /helloworld.Greeter/SayHello].",
)
@click.option(
    "--json", "json_file", metavar="FILE|-", help="Write the report as JSON, - on stdout."
)
@threshold_option
@namespace_option
@instance_option
def load(
    service: str,
    rate: str | None,
    arrivals: Arrivals | None,
    seed: int,
    duration: str | None,
    requests: int | None,
    connections: int | None,
    processes: int,
    timeout: str,
    protocol: Protocol,
    path: str | None,
    json_file: str | None,
    thresholds: tuple[str, ...],
    namespace: str,
    instance: Instance,
) -> int:
    """Send load to a service through the gateway and show which revision answered.

    Open loop: latency counts from the planned moment of a request, so a stall shows in full.
    Ends with 1 only when no request was answered, with 99 when a threshold does not hold.
    docs/load.md has the schema of the JSON and what thresholds may speak of.

    \b
    Examples:
      knary load helloworld-go
      knary load helloworld-go --rate 200 --duration 10s
      knary load helloworld-go --rate 100..1000/10 --duration 30s --arrivals poisson
      knary load helloworld-go --requests 1000 --connections 8 --json -
      knary load helloworld-go --threshold 'p99<20ms' 'split_error<0.1%'
      knary load helloworld-grpc --protocol grpc
    """
    from simulator.cli.thresholdoption import read_thresholds
    from simulator.cli.urls import Gateway, reach_of
    from simulator.load.numbers import VOCABULARY
    from simulator.load.plan import GRPC_METHOD, LoadPlan
    from simulator.load.schedule import AsFastAsPossible, paced

    if requests is not None and any(given is not None for given in (rate, arrivals, duration)):
        raise UsageError("--requests excludes --rate, --arrivals and --duration")
    if path is None:
        path = GRPC_METHOD if protocol == "grpc" else "/"
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        raise UsageError(f"--path {path!r}: want a path such as /shop?item=1, percent-encoded")
    wanted = read_thresholds(thresholds, VOCABULARY)
    schedule: Schedule = AsFastAsPossible(requests, connections or 1)
    if requests is None:
        seconds = seconds_of("--duration", duration or DURATION_DEFAULT)
        schedule = paced(rates_of(rate or RATE_DEFAULT), seconds, arrivals or "constant", seed=seed)
    with instance.client() as client:
        found = client.get(SERVICE, namespace, service)
    goals = _Goals(wanted, _percents(wanted, found, service))
    description = instance.description()
    reach = reach_of(found, None, Gateway.of(description))
    address, port = host_and_port(reach.gateway)
    plan = LoadPlan(
        address=address,
        port=port,
        host=reach.host,
        schedule=schedule,
        path=path,
        connections_max=connections or (64 if requests is None and protocol == "http1" else 1),
        timeout_s=seconds_of("--timeout", timeout),
        protocol=protocol,
    )
    status, report = _send(plan, service, processes, quiet=json_file == STDOUT)
    if json_file != STDOUT:
        _show(report)
    outcomes = goals.judge(report)
    if json_file is not None:
        _write(report, outcomes, json_file)
    show_outcomes(outcomes)
    if status == exits.OK and not report.service.count:
        return exits.FAILED
    return status or status_of(outcomes)


class _Goals(NamedTuple):
    """What a load must keep; `percents` is what the split should be, none when nobody asks."""

    thresholds: tuple[Threshold, ...]
    percents: Mapping[str, float]

    def judge(self, report: LoadReport) -> list[Outcome]:
        from knary.thresholds import judge
        from simulator.load.numbers import numbers

        return judge(self.thresholds, numbers(report, self.thresholds, self.percents))


def _percents(
    thresholds: tuple[Threshold, ...], found: dict[str, Any], service: str
) -> Mapping[str, float]:
    """Return the split in force when a threshold is about it. Raise CommandFailed without one."""
    from simulator.cli.assert_split import reported_percents

    if any(each.metric == "split_error" for each in thresholds):
        return reported_percents(found, service)
    return {}


def _send(plan: LoadPlan, service: str, processes: int, *, quiet: bool) -> tuple[int, LoadReport]:
    """Carry the plan out, showing how it goes unless `quiet`; return exit status and report."""
    if processes > 1:
        return _send_from(processes, plan, service, quiet=quiet)
    from simulator.cli.playing import presenter_for
    from simulator.load.generator import Load
    from simulator.load.plan import Answer
    from simulator.scenario.theatre import Interrupted, run_interruptible

    if quiet:
        running = Load(plan)
        try:
            run_interruptible(running.run)
        except Interrupted:
            return exits.INTERRUPTED, running.report
        return exits.OK, running.report
    status = exits.OK
    title = f"{_in_words(plan.schedule)} to {service}"
    with presenter_for(verbose=False) as presenter:

        def observe(answer: Answer) -> None:
            presenter.answered(title, answer)

        running = Load(plan, observe)
        presenter.load_begins(title, background=False)
        try:
            run_interruptible(running.run)
        except Interrupted:
            status = exits.INTERRUPTED
        presenter.load_ended(title, (), running.report)
    return status, running.report


def _send_from(
    processes: int, plan: LoadPlan, service: str, *, quiet: bool
) -> tuple[int, LoadReport]:
    """Carry the plan out from several processes; Ctrl-C leaves nothing to report."""
    from simulator.load.processes import run_in_processes
    from simulator.scenario.bars import latency_line
    from simulator.scenario.theatre import Interrupted, run_interruptible

    if not quiet:
        output.line(f"{_in_words(plan.schedule)} to {service}, from {processes} processes")
    try:
        report = run_interruptible(lambda: run_in_processes(plan, processes))
    except Interrupted as error:
        raise CommandFailed("interrupted", exits.INTERRUPTED) from error
    if not quiet:
        output.line(latency_line(report))
    return exits.OK, report


def _show(report: LoadReport) -> None:
    """Print who answered, how often and how fast."""
    rows: list[list[object]] = [
        ["REVISION", "REQUESTS", "SHARE", "ERRORS", "P50", "P90", "P99", "P99.9", "MAX"]
    ]
    total = report.all.requests
    for name, tally in sorted(report.revisions.items()):
        latency = tally.latencies
        shown = [
            f"{latency.at(percentile) / 1000:.2f} ms" for percentile in (50, 90, 99, 99.9, 100)
        ]
        share = f"{100 * tally.requests / total:.2f} %"
        rows.append([name, tally.requests, share, tally.failed, *shown])
    output.line()
    output.table(rows)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.all.errors.items()))
    if kinds:
        output.line(f"Errors: {kinds}")


def _write(report: LoadReport, outcomes: Sequence[Outcome], file: str) -> None:
    document = report.to_dict()
    if outcomes:
        document["thresholds"] = [
            {"threshold": each.threshold.text, "measured": each.measured, "kept": each.is_kept}
            for each in outcomes
        ]
    text = json.dumps(document, indent=2)
    if file == STDOUT:
        output.line(text)
        return
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def _in_words(schedule: Schedule) -> str:
    from simulator.load.schedule import AsFastAsPossible, StepRates, duration_of

    if isinstance(schedule, AsFastAsPossible):
        return f"{schedule.count:,} requests"
    if isinstance(schedule, StepRates):
        rates = f"{schedule.steps[0].rate_per_s:g} to {schedule.steps[-1].rate_per_s:g}"
    else:
        rates = f"{schedule.rate_per_s:g}"
    return f"{rates} requests per second for {duration_of(schedule):g} s"


def rates_of(text: str) -> tuple[float, ...]:
    """Return what --rate says. Raise UsageError."""
    from simulator.load.schedule import parse_rates

    try:
        rates = parse_rates(text)
    except ValueError:
        rates = ()
    if not rates or not all(RATE_MIN_PER_S <= rate <= RATE_MAX_PER_S for rate in rates):
        raise UsageError(
            f"--rate {text!r}: want requests per second, up to {RATE_MAX_PER_S:,.0f}:"
            " 200, or steps as 100,200,500 or 100..1000/10"
        )
    return rates


def seconds_of(option: str, text: str) -> float:
    """Return what an option for a length of time says. Raise UsageError."""
    from simulator.resources.durations import SECOND, parse_duration

    try:
        length = parse_duration(text) / SECOND
    except ValueError:
        length = 0.0
    if length <= 0:
        raise UsageError(f"{option} {text!r} is no length of time; write 500ms, 10s or 1m30s")
    return length
