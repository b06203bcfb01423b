"""What is done to requests on purpose: which of a target's faults a request gets. Pure.

Names and attributes are toxiproxy's toxics', with Envoy's `abort` (HTTP fault filter). Times are in
milliseconds, but for slicer's delay, sizes in bytes, a rate in KB/s: as toxiproxy has them.
"""

from __future__ import annotations

from random import Random
from typing import Final

from gateway.contract import FAULTS, Fault

UPSTREAM: Final = "upstream"
SLICES_PER_S: Final = 10  # of a limited bandwidth, as toxiproxy's
NO_LIMIT: Final = -1


class Injection:
    """What one request gets, drawn from the faults of its target, all taken together."""

    names = ""  # of the faults, with a comma between
    hold_s = 0.0  # before the revision is asked, or before `status` or `cut`
    holds_on = False  # for as long as the revision's own timeouts let it
    status = 0  # the gateway's answer in the revision's place
    is_cut = False  # instead of an answer
    is_reset = False  # and by RST
    answer_delay_s = 0.0  # before the first byte of the answer
    end_delay_s = 0.0  # before its end
    bytes_per_s = 0  # of its body; 0: no limit
    slice_bytes = 0  # its body comes in such pieces; 0: as it came
    slice_variation = 0
    slice_delay_s = 0.0  # between two of them
    limit_bytes = NO_LIMIT  # of its body: then it is broken off
    corrupt_bytes = NO_LIMIT  # of its body: then its framing is broken

    @property
    def shapes(self) -> bool:
        """Tell whether the answer of a revision does not pass as it comes."""
        return (
            self.answer_delay_s > 0
            or self.end_delay_s > 0
            or self.bytes_per_s > 0
            or self.slice_bytes > 0
            or self.limit_bytes >= 0
            or self.corrupt_bytes >= 0
        )


class TargetFaults:
    """The faults of one target. Each has dice of its own: a change of one changes no other's."""

    def __init__(self, rows: tuple[Fault, ...], dice: tuple[Random, ...]) -> None:
        """Raise ValueError for a fault that this gateway cannot do."""
        for row in rows:
            if row.type not in FAULTS:
                raise ValueError(f"fault {row.name!r} is of an unknown type: {row.type!r}")
        self.rows = rows
        self.dice = dice

    def draw(self) -> Injection | None:
        """Return what the next request gets; None: nothing."""
        injection: Injection | None = None
        for row, dice in zip(self.rows, self.dice, strict=True):
            drawn, shaken = dice.random(), dice.random()  # two each: a jitter shifts no draw
            if drawn < row.toxicity:
                injection = injection or Injection()
                _add(injection, row, shaken)
        return injection


def _add(injection: Injection, row: Fault, shaken: float) -> None:
    """Add one fault; `shaken`, from [0, 1), is where its jitter is."""
    injection.names += f",{row.name}" if injection.names else row.name
    values = dict(row.attributes)
    match row.type:
        case "latency":
            jitter_ms = values.get("jitter", 0) * (2 * shaken - 1)
            delay_s = max(0.0, values.get("latency", 0) + jitter_ms) / 1e3
            if row.stream == UPSTREAM:
                injection.hold_s += delay_s
            else:
                injection.answer_delay_s += delay_s
        case "abort":
            injection.status = values.get("status", 503)
        case "timeout":
            injection.is_cut = True
            injection.holds_on = values.get("timeout", 0) == 0
            injection.hold_s += values.get("timeout", 0) / 1e3
        case "reset_peer":
            injection.is_cut = injection.is_reset = True
            injection.hold_s += values.get("timeout", 0) / 1e3
        case "slow_close":
            injection.end_delay_s += values.get("delay", 0) / 1e3
        case _:
            _add_shape(injection, row, values)


def _add_shape(injection: Injection, row: Fault, values: dict[str, int]) -> None:
    match row.type:
        case "bandwidth":
            rate = values.get("rate", 0) * 1000
            injection.bytes_per_s = min(injection.bytes_per_s or rate, rate)
        case "slicer":
            injection.slice_bytes = values.get("average_size", 0)
            injection.slice_variation = values.get("size_variation", 0)
            injection.slice_delay_s = values.get("delay", 0) / 1e6
        case "limit_data":
            injection.limit_bytes = values.get("bytes", 0)
        case _:
            injection.corrupt_bytes = values.get("bytes", 0)
