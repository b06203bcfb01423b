"""Which target a request's session has: what a split with sessions asks for each request.

A session is new, keeps its target, or was moved because shares changed. Only a new one takes a turn
of the split's own splitter, so new sessions are dealt as exactly as requests are without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.contract import Split
from gateway.splitting.credit import normalised
from gateway.sticky.places import TARGETS_MAX, Place, Positions, Shares
from gateway.sticky.tokens import Signer

ALONE: Final = 0  # a request that belongs to no session
NEW: Final = 1
KEPT: Final = 2
MOVED: Final = 3
OUTCOMES: Final = ("none", "new", "kept", "moved")


class Seat:
    """Where a session's request goes: a target's index, how that came, and why.

    `cookie` is the header line that its answer carries, or b"".
    """

    __slots__ = ("because", "cookie", "index", "outcome")

    def __init__(self, index: int, outcome: int, because: str, cookie: bytes = b"") -> None:
        self.index = index
        self.outcome = outcome
        self.because = because
        self.cookie = cookie


class Stickiness:
    """The sessions of one split."""

    kind: str = ""

    def __init__(self, row: Split, key: bytes, positions: Positions, idle_s_max: float) -> None:
        """`key` is the instance's; `positions` are the split's, and go on over its changes.

        A session that sends nothing for `idle_s_max` is forgotten.
        """
        # Of another epoch they are another split's: they begin anew with the turns.
        self.split = f"{row.key}\0{row.epoch}" if row.epoch else row.key
        self.signer = Signer(key, self.split)
        shares = [share for share in row.shares if share.weight > 0]
        self.names = [self.signer.name_of(share.backend) for share in shares]
        weights = normalised([share.weight for share in shares])
        self.shares = Shares(dict(zip(self.names, weights, strict=True)))
        self.idle_s_max = idle_s_max
        self.positions = positions
        positions.keep(self.shares.weights)

    def seat(self, lines: list[bytes], ip: str, now_s: int, turn: Callable[[], int]) -> Seat:
        """Return what the session of a request with these header lines, from `ip`, gets.

        `turn` is the splitter's next one; `now_s` is the time of day, in seconds.
        """
        raise NotImplementedError

    def dealt(self, turn: Callable[[], int]) -> Place:
        """Return the place of a new session."""
        name = self.names[turn()]
        return self.positions.deal(name, self.shares.weights[name])

    def why_moved(self, target: bytes) -> str:
        """Return why a session that had this target has another one now."""
        return "share-shrank" if target in self.shares.weights else "revision-gone"


def is_possible(targets: Sequence[object]) -> bool:
    """Tell whether a split of so many targets can have sessions: with one there is no choice."""
    return 1 < len(targets) <= TARGETS_MAX
