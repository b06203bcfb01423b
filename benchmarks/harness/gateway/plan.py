"""What is to be measured, as the user said it. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from benchmarks.harness.documents.envelope import Parameter
from simulator.load.plan import LoadPlan
from simulator.load.schedule import Arrivals, AsFastAsPossible, Schedule, paced

Protocol = Literal["http1", "h2c"]

SLICES = 50  # of a turn at one rate


class GatewayPlan(Struct, frozen=True):
    """A run: the load, how often, beside whom.

    `percents` split an instance of our own. A closed loop has no rate: each connection sends its
    next request when an answer came.
    """

    rates_per_s: tuple[float, ...] = (1000.0,)
    arrivals: Arrivals = "constant"
    seed: int = 0
    closed: bool = False
    duration_s: float = 10.0
    warm_s: float = 1.0
    timeout_s: float = 10.0
    protocol: Protocol = "http1"
    connections: int = 64
    processes: int = 1
    workers: int = 1
    percents: tuple[int, ...] = (50, 50)
    peers: tuple[str, ...] = ()
    pairs: int = 1
    peak_s: float = 0.0

    @property
    def slice_s(self) -> float:
        """Return how long a slice is: a step of the rate, so that each has its own percentiles."""
        steps = len(self.rates_per_s)
        return self.duration_s / (steps if steps > 1 else SLICES)

    @property
    def schedule(self) -> Schedule:
        """Return when requests are due; the warm-up comes first."""
        if self.closed:
            return AsFastAsPossible(None, self.connections, self.warm_s + self.duration_s)
        return paced(
            self.rates_per_s, self.duration_s, self.arrivals, seed=self.seed, warm_s=self.warm_s
        )

    def load_on(self, address: str, port: int, host: str) -> LoadPlan:
        """Return one turn of the load.

        Beside peers nobody is asked who answers: all get the same bytes, and are known by their
        answers' words.
        """
        return LoadPlan(
            address=address,
            port=port,
            host=host,
            schedule=self.schedule,
            connections_max=self.connections,
            timeout_s=self.timeout_s,
            protocol=self.protocol,
            warm_s=self.warm_s,
            slice_s=self.slice_s,
            explain=not self.peers,
        )

    def parameters(self) -> dict[str, Parameter]:
        """Return it as a document has it: flat, lists as words."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {
            name: ",".join(f"{each:g}" if isinstance(each, float) else str(each) for each in value)
            if isinstance(value, list | tuple)
            else value
            for name, value in plain.items()
        }
