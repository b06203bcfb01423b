"""`knary bench gateway`: what a gateway costs, who answered, and how it compares."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.harness.documents.files import HTML
from benchmarks.harness.gateway.asked import Asked, load_options
from simulator.cli import exits, output
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.thresholdoption import (
    ThresholdCommand,
    read_thresholds,
    show_outcomes,
    status_of,
    threshold_option,
)

if TYPE_CHECKING:
    from benchmarks.harness.documents.envelope import Document
    from benchmarks.harness.documents.gateway import GatewayResult
    from benchmarks.harness.gateway.plan import GatewayPlan
    from benchmarks.harness.gateway.run import Outcome
    from benchmarks.harness.gateway.subjects import Found

FELL_BEHIND = 5  # docs/exit-codes.md
STDOUT = "-"


@click.command("gateway", cls=ThresholdCommand)
@load_options
@threshold_option
@click.option("--json", "json_file", metavar="FILE|-", help="Write the whole result as JSON.")
@click.option("--html", "html_file", metavar="FILE", help=HTML)
@namespace_option
@instance_option
def gateway(
    thresholds: tuple[str, ...],
    json_file: str | None,
    html_file: str | None,
    namespace: str,
    instance: Instance,
    **given: Any,
) -> int:
    """Measure a gateway under open-loop load, by the revision that answered.

    Alone it starts an instance of its own with two revisions, and leaves nothing behind. Latency
    counts from the planned moment of each request. Ends with 5, and no numbers, when the load
    generator itself fell behind; with 1 when a splitter broke its bound; with 99 when a threshold
    does not hold.

    \b
    Examples:
      knary bench gateway
      knary bench gateway --service helloworld-go --rate 100..1000/10 --arrivals poisson
      knary bench gateway --peers nginx,haproxy --peak 2s --json result.json
      knary bench gateway --threshold 'p99<20ms' 'split_error<0.1%' --html result.html
      knary bench gateway --url http://10.0.0.7 --host hello.default.example.com
    """
    from benchmarks.harness.documents.files import to_file
    from benchmarks.harness.documents.measures import subject_of
    from benchmarks.harness.documents.numbers import numbers, vocabulary
    from benchmarks.harness.documents.provenance import begin
    from benchmarks.harness.gateway.figures import METRICS
    from benchmarks.harness.gateway.run import FellBehind, measure
    from knary.thresholds import judge
    from simulator.scenario.theatre import Interrupted, run_interruptible

    wanted = read_thresholds(thresholds, vocabulary(METRICS, ("gateway", "revision")))
    asked = Asked(**given)
    plan, shares = asked.plan(), asked.shares() if asked.url else {}
    begun = begin()

    @contextlib.asynccontextmanager
    async def subject() -> AsyncIterator[Found]:
        from benchmarks.harness.gateway import subjects

        if asked.url:
            yield subjects.Found(
                subjects.whoever_answers(asked.url, asked.host, shares, asked.pids)
            )
        elif asked.service:
            yield subjects.running_service(plan, instance, asked.service, namespace)
        else:
            output.note("Starting an instance of its own ...")
            async with subjects.own_instance(plan, dict(os.environ)) as own:
                yield own

    try:
        outcome = run_interruptible(lambda: measure(plan, subject(), output.note))
    except Interrupted:
        output.note("Stopped; nothing was left behind.")
        return exits.INTERRUPTED
    except FellBehind as error:
        raise CommandFailed(
            f"{error}. Nothing is reported, as it would be the generator's own slowness:"
            " use more --processes, a lower --rate, or a quieter machine",
            FELL_BEHIND,
        ) from error
    made = _document(plan, outcome, begun)
    if json_file != STDOUT:
        _show(plan, made)
    if json_file is not None:
        _write(made, json_file)
    kept = judge(wanted, list(numbers(made.measures, subject_of(made.results))))
    if html_file is not None:
        from benchmarks.harness.pages.measured import measured_page

        to_file(html_file, measured_page(made, kept))
    show_outcomes(kept)
    for broken in outcome.broken:
        output.warn(broken)
    return exits.FAILED if outcome.broken else status_of(kept)


def _document(plan: GatewayPlan, outcome: Outcome, begun: Any) -> Document[GatewayResult]:
    from benchmarks.harness.documents.gateway import SCHEMA
    from benchmarks.harness.documents.measures import gateway_measures
    from benchmarks.harness.documents.provenance import document

    return document(
        SCHEMA,
        begun,
        outcome.result,
        gateway_measures(outcome.result),
        parameters=plan.parameters(),
        peers={each.name: each.version for each in outcome.result.gateways[1:]},
        notes=outcome.notes,
    )


def _show(plan: GatewayPlan, made: Document[GatewayResult]) -> None:
    from benchmarks.harness.gateway import telling

    output.line(telling.load_in_words(plan))
    for each in made.results.gateways:
        output.line(telling.gateway_in_words(each))
    output.line()
    output.table(telling.gateways(made.results, made.measures))
    output.line()
    output.table(telling.revisions(made.results, made.measures))
    output.line()
    if len(plan.rates_per_s) > 1:
        output.table(telling.steps(plan, made.results.samples))
        output.line()
    for each in made.results.gateways:
        if line := telling.split_in_words(each, made.results.samples):
            output.line(line)
    if made.results.comparisons:
        output.line()
        output.table(telling.comparisons(made.results.comparisons, made.results.gateways[0].name))
    for note in made.notes:
        output.note(f"Note: {note}.")


def _write(made: Document[GatewayResult], file: str) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(made), indent=2).decode()
    if file == STDOUT:
        output.line(text)
        return
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
