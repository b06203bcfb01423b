"""What the command line asks for, checked, and the plan that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from benchmarks.harness.gateway.plan import GatewayPlan, Protocol
from simulator.cli.exits import UsageError
from simulator.cli.load import ARRIVALS, rates_of, seconds_of

if TYPE_CHECKING:
    from simulator.load.schedule import Arrivals

PEERS = ("nginx", "haproxy", "envoy", "aiohttp")
ALL = "all"
PAIRS_DEFAULT = 7  # beside peers: six are the fewest that can tell anything at 95 %
CONNECTIONS_DEFAULT: dict[Protocol, int] = {"http1": 64, "h2c": 4}
RATE_DEFAULT = "1000"
PERCENTS_DEFAULT = (50, 50)
REVISIONS_MAX = 20
NOTHING = ("0", "0s")

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--service", metavar="NAME", help="A service of the running instance."),
    click.option("--url", metavar="URL", help="Any gateway, a cluster's too: http://HOST[:PORT]."),
    click.option("--host", metavar="HOST", help="With --url: the Host of the requests."),
    click.option(
        "--pid", "pids", type=int, multiple=True, help="With --url: whose CPU counts. Repeatable."
    ),
    click.option(
        "--traffic",
        metavar="P/P",
        help="Percents of our own instance [default: 50/50]; with --url NAME=P,NAME=P.",
    ),
    click.option(
        "--rate", metavar="R", help="Requests per second, or steps as 100..900/9 [default: 1000]."
    ),
    click.option("--arrivals", type=click.Choice(ARRIVALS), default="constant", show_default=True),
    click.option("--seed", type=int, default=0, help="Of Poisson arrivals [default: 0]."),
    click.option(
        "--closed", is_flag=True, help="No rate: a connection sends when its answer came."
    ),
    click.option("--duration", default="10s", metavar="TIME", show_default=True, help="Of a turn."),
    click.option("--warm-up", default="1s", metavar="TIME", show_default=True, help="Before it."),
    click.option("--timeout", default="10s", metavar="TIME", show_default=True, help="Of one."),
    click.option(
        "--protocol", type=click.Choice(["http1", "h2c"]), default="http1", show_default=True
    ),
    click.option(
        "--connections", type=click.IntRange(1, 1024), help="At most [default: 64; of h2c 4]."
    ),
    click.option(
        "--processes", type=click.IntRange(1, 64), default=1, help="That send [default: 1]."
    ),
    click.option(
        "--workers", type=click.IntRange(1, 64), default=1, help="Of our own [default: 1]."
    ),
    click.option("--peers", metavar="NAMES", help=f"Beside {','.join(PEERS)}, or all."),
    click.option(
        "--pairs", type=click.IntRange(1, 1000), help="Turns of each [default: 1; with peers 7]."
    ),
    click.option("--peak", metavar="TIME", help="And the most it takes, by wrk or h2load."),
)


def load_options(command: Command) -> Command:
    """Give a command all that `Asked` has."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Asked:
    """The command line, as click read it."""

    service: str | None
    url: str | None
    host: str | None
    pids: tuple[int, ...]
    traffic: str | None
    rate: str | None
    arrivals: Arrivals
    seed: int
    closed: bool
    duration: str
    warm_up: str
    timeout: str
    protocol: Protocol
    connections: int | None
    processes: int
    workers: int
    peers: str | None
    pairs: int | None
    peak: str | None

    def plan(self) -> GatewayPlan:
        """Return what to measure. Raise UsageError."""
        self._check()
        compared = peers_of(self.peers)
        connections = self.connections or CONNECTIONS_DEFAULT[self.protocol]
        if connections < self.processes:
            raise UsageError("each of --processes needs one of --connections")
        return GatewayPlan(
            rates_per_s=rates_of(self.rate or RATE_DEFAULT),
            arrivals=self.arrivals,
            seed=self.seed,
            closed=self.closed,
            duration_s=seconds_of("--duration", self.duration),
            warm_s=0.0 if self.warm_up in NOTHING else seconds_of("--warm-up", self.warm_up),
            timeout_s=seconds_of("--timeout", self.timeout),
            protocol=self.protocol,
            connections=connections,
            processes=self.processes,
            workers=self.workers,
            percents=percents_of(self.traffic) if not self.url else PERCENTS_DEFAULT,
            peers=compared,
            pairs=self.pairs or (PAIRS_DEFAULT if compared else 1),
            peak_s=seconds_of("--peak", self.peak) if self.peak else 0.0,
        )

    def shares(self) -> dict[str, float]:
        """Return the parts of 1 that --traffic gives a gateway at a URL. Raise UsageError."""
        from simulator.resources.percents import WHOLE, parse_percents

        if self.traffic is None:
            return {}
        try:
            told = parse_percents(self.traffic)
        except ValueError as error:
            raise UsageError(f"--traffic {self.traffic!r}: {error}") from None
        if sum(told.values()) != WHOLE:
            raise UsageError(f"--traffic {self.traffic!r}: percents must sum to 100")
        return {name: hundredths / WHOLE for name, hundredths in told.items()}

    def _check(self) -> None:
        for refused, why in (
            (self.service and self.url, "--service excludes --url"),
            (not self.url and (self.host or self.pids), "--host and --pid go with --url"),
            (self.service and self.traffic, "the service says its own percents: no --traffic"),
            (
                (self.service or self.url) and self.workers > 1,
                "--workers is of an instance of our own: no --service, no --url",
            ),
            (
                self.closed and (self.rate or self.arrivals != "constant"),
                "--closed excludes --rate and --arrivals",
            ),
            (
                self.url and self.peers,
                "peers stand before replicas of this machine: --url excludes --peers",
            ),
        ):
            if refused:
                raise UsageError(why)


def peers_of(text: str | None) -> tuple[str, ...]:
    """Return the peers that are named, each once. Raise UsageError."""
    if not text:
        return ()
    if text == ALL:
        return PEERS
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [name for name in names if name not in PEERS]:
        raise UsageError(f"--peers: no such peer: {unknown[0]!r}; want {', '.join(PEERS)}, or all")
    return names


def percents_of(text: str | None) -> tuple[int, ...]:
    """Return the percents of "90/10". Raise UsageError."""
    if text is None:
        return PERCENTS_DEFAULT
    try:
        percents = tuple(int(part) for part in text.split("/"))
    except ValueError:
        percents = ()
    if sum(percents) != 100 or min(percents) < 0 or len(percents) > REVISIONS_MAX:
        raise UsageError(
            f"--traffic {text!r}: want whole percents that sum to 100, such as 90/10,"
            f" for {REVISIONS_MAX} revisions at most"
        )
    return percents
