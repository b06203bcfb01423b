"""What `knary bench splitters` found: the schema knary.bench.splitters/v1. Plain data.

The canary is the target with the smallest share; of several the last.
"""

from __future__ import annotations

from msgspec import Struct

SCHEMA = "knary.bench.splitters/v1"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of `first_picks`: one for each target


class Algorithm(Struct, frozen=True):
    """An entrant; `known` is its known flaw in a line."""

    name: str
    used_by: str
    known: str
    is_seeded: bool  # whether two seeds give two sequences


class Proof(Struct, frozen=True):
    """A bound of the lag, for so many targets and turns; `kept` is false when a run broke it."""

    requests: float
    source: str
    kept: bool


class Workers(Struct, frozen=True):
    """The worst lag of the sum when W workers deal turns, and requests reach them in rotation.

    `alike`: each its own turns, all from the same beginning. `apart`: each its own, from another
    seed, or without one from a random turn on. `shared`: one counter for all.
    """

    count: int
    alike_lag_requests: float
    apart_lag_requests: float
    shared_lag_requests: float
    alike_first_canary: int


class Split(Struct, frozen=True):
    """One algorithm with one set of weights, over `runs` of `turns` turns each.

    A lag is |picked - due| of any target at any prefix; a window is any number of turns in a row,
    anywhere. `longest_run` is of turns to one target, `longest_gap` of turns from one of the
    canary to its next. `first_canary` is the turn of the first one, `turns` + 1 when there is none.
    `error_percent` is the root mean square error of the canary's share over n turns in a row that
    begin anywhere, in percentage points, by n; `lag_by_turns` the worst lag of the first n.
    `aliasing` says, by period, how many times its share the canary got of one request in the cycle
    of a client with that period. `first_picks` has a digit for each of the first turns.
    """

    algorithm: str
    weights: str
    percents: tuple[float, ...]
    runs: int
    turns: int
    canary_percent: float
    worst_lag_requests: float
    bound: Proof | None
    worst_window_requests: float
    longest_run: int
    longest_gap: int
    first_canary_worst: int
    first_canary_median: float
    error_percent: dict[str, float]
    lag_by_turns: dict[str, float]
    aliasing: dict[str, float]
    workers: Workers
    pick_ns: float
    split_bytes: float
    first_picks: str


class Changes(Struct, frozen=True):
    """How an algorithm takes new weights, and new beginnings.

    Ramp: the canary's percent rises by 1 every `ramp_turns_per_step` turns up to
    `ramp_percent_max`. Restart: at 1 % the split begins anew every `restart_turns` turns, as after
    a push of the configuration. `canary_percent_of_due` is the median over seeds.
    """

    algorithm: str
    ramp_percent_max: int
    ramp_turns_per_step: int
    ramp_worst_lag_requests: float
    ramp_canary_percent_of_due: float
    restart_turns: int
    restart_canary_percent_of_due: float


class Family(Struct, frozen=True):
    """The worst lag over 100 turns of a whole family of splits, and the weights that have it."""

    algorithm: str
    family: str
    splits: int
    worst_lag_requests: float
    worst_weights: str
    kept: bool | None  # its bounds; None where nothing is promised


class SplittersResult(Struct, frozen=True):
    """The whole tournament, without what the envelope says."""

    algorithms: tuple[Algorithm, ...]
    splits: tuple[Split, ...]
    changes: tuple[Changes, ...]
    families: tuple[Family, ...] = ()
