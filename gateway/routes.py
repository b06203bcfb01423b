"""A route ready for use: its splits, and the turns that outlive their changes."""

from __future__ import annotations

from random import Random, SystemRandom

from gateway.contract import Fault, Route, Share, Split
from gateway.faults import TargetFaults
from gateway.forwarding import HeaderRules
from gateway.metrics.cell import Cell
from gateway.metrics.registry import Metrics
from gateway.splitting.hashing import HashRanges
from gateway.splitting.splitter import Splitter
from gateway.splitting.together import Shared
from gateway.sticky.bykey import header_value
from gateway.sticky.stickiness import KEPT, OUTCOMES, Seat, Stickiness
from gateway.upstream.pool import BackendState


class Target:
    """One share of a split, ready for use: the backend, and what its requests carry."""

    def __init__(
        self, backend: BackendState, share: Share, route: Route, faults: TargetFaults | None = None
    ) -> None:
        self.backend = backend
        self.faults = faults  # None: nothing is done to its requests on purpose
        self.weight = share.weight
        self.rules = HeaderRules(share.headers, route.host)
        self.cell: Cell | None = None  # what its requests amount to, from the first one on
        self._route = route

    def open_cell(self, metrics: Metrics) -> Cell:
        """Return its cell; asked for by its first request, as a table may name more than fit."""
        route = self._route
        cell = self.cell = metrics.cell(route.service, self.backend.key, route.tag)
        return cell


class CompiledSplit:
    """A split's targets and whose turn it is. The turns go on over a change of the split."""

    def __init__(
        self,
        row: Split,
        targets: tuple[Target, ...],
        splitter: Splitter,
        turns: int,
        sticky: Stickiness | None = None,
    ) -> None:
        self.row = row
        self.sticky = sticky  # None: each request takes a turn
        self.targets = targets
        self.splitter = splitter
        self.turns = turns  # so many requests had theirs
        self.shared = splitter if isinstance(splitter, Shared) else None  # with other workers
        self.is_alone = False  # though other workers could share its turns
        self.is_keyed = isinstance(splitter, HashRanges)  # turns need `pick_for`
        self._key_name = row.hash_header.encode("latin-1")

    def pick(self) -> Target:
        """Return the target of the next request."""
        self.turns += 1
        return self.targets[self.splitter.pick()]

    def pick_for(self, lines: list[bytes], ip: str) -> Target:
        """Return the target of a request with these header lines, from this client."""
        if not self.is_keyed:
            return self.pick()
        self.turns += 1
        return self.targets[self.splitter.pick_for(self._key(lines, ip))]

    def seat(self, sticky: Stickiness, lines: list[bytes], ip: str, now_s: int) -> Seat:
        """Return what the session of this request gets; a new one takes a turn."""

        def turn() -> int:
            self.turns += 1
            return self.splitter.pick_for(self._key_of(lines, ip))

        return sticky.seat(lines, ip, now_s, turn)

    def _key(self, lines: list[bytes], ip: str) -> bytes:
        """Return what is hashed: a header's values, or without a name of one the address."""
        if not self._key_name:
            return ip.encode()
        return header_value(lines, self._key_name)  # none is the empty text, as nginx has it

    def pick_explained(self, lines: list[bytes], ip: str) -> tuple[Target, str]:
        """Return the target of this request, and how likely it was, as header parameters."""
        self.turns += 1
        picked, chances = self.splitter.pick_with_chances(self._key_of(lines, ip))
        return self.targets[picked], self._explained(picked, chances)

    def seat_explained(
        self, sticky: Stickiness, lines: list[bytes], ip: str, now_s: int
    ) -> tuple[Seat, str]:
        """Return what the session of this request gets, and why, as header parameters."""
        taken: list[list[float]] = []  # the chances of the turn that it took, if it did

        def turn() -> int:
            self.turns += 1
            picked, chances = self.splitter.pick_with_chances(self._key_of(lines, ip))
            taken.append(chances)
            return picked

        seat = sticky.seat(lines, ip, now_s, turn)
        told = self._explained(seat.index, taken[0] if taken else [])
        how = f"; because={seat.because}" if seat.outcome != KEPT else ""
        return seat, f"{told}; sticky={sticky.kind}; session={OUTCOMES[seat.outcome]}{how}"

    def _key_of(self, lines: list[bytes], ip: str) -> bytes:
        return self._key(lines, ip) if self.is_keyed else b""

    def _explained(self, index: int, chances: list[float]) -> str:
        """Return who got the request; `chances` are those of the turn that it took, if it did."""
        target = self.targets[index]
        total = sum(each.weight for each in self.targets)
        share = f"revision={target.backend.name.decode()}; share={target.weight / total:.4g}"
        if not chances:
            return f"{share}; splitter={self.row.splitter}"
        chance = f"chance={chances[index]:.4g}"
        return f"{share}; splitter={self.row.splitter}; {self._turn()}; {chance}"

    def _turn(self) -> str:
        """Return the number of the latest turn, and of whose turns it is one."""
        if self.shared is None or not self.shared.turn:
            return f"turn={self.turns}; turns=own"
        return f"turn={self.shared.turn}; turns=shared"

    def owed_now(self) -> dict[str, int]:
        """Return each target's credit by name, to carry it on."""
        names = [target.backend.key for target in self.targets]
        return dict(zip(names, self.splitter.credit, strict=True))


class CompiledRoute:
    """A route's split, and the splits of its header rules."""

    def __init__(
        self, row: Route, split: CompiledSplit, rules: tuple[tuple[bytes, CompiledSplit], ...]
    ) -> None:
        self.row = row
        self.split = split
        self.rules = rules  # (a header line, its name in lower case; split)
        # `split.pick` is all it takes.
        self.is_plain = (
            not rules
            and not split.is_keyed
            and split.sticky is None
            and all(target.faults is None for target in split.targets)
        )

    def split_for(self, lines: list[bytes]) -> CompiledSplit:
        """Return the split of the first rule that a header line meets, else the route's own."""
        for wanted, split in self.rules:
            for line in lines:
                name, _, value = line.partition(b": ")
                if name.lower() + b": " + value == wanted:
                    return split
        return self.split

    def explained(self, split: CompiledSplit, chance: str) -> str:
        """Return why a request got its target, as header parameters, from what its split says."""
        rule = "host" if split is self.split else "header"
        tag = f"; tag={self.row.tag}" if self.row.tag else ""
        return f'route="{self.row.service or self.row.key}"{tag}; rule={rule}; {chance}'

    def took_turns_since(self, successor: CompiledRoute) -> bool:
        """Tell whether its splits have gone on since the successor took their credit over."""
        turns = {split.row.key: split.turns for split in self.splits()}
        return any(
            split.turns != turns.get(split.row.key, split.turns) for split in successor.splits()
        )

    def splits(self) -> list[CompiledSplit]:
        """Return all its splits."""
        return [self.split, *(split for _, split in self.rules)]


def splits_of(row: Route) -> list[Split]:
    """Return a row's own split, then those of its header rules."""
    return [row.split, *(rule.split for rule in row.rules)]


def faults_of(
    share: Share, route: Route, worker: int, before: CompiledSplit | None
) -> TargetFaults | None:
    """Return the faults of a share; those that it had before go on with their dice."""
    if not share.faults:
        return None
    rolling: dict[Fault, Random] = {}
    for target in before.targets if before else ():
        if target.faults is not None and target.backend.key == share.backend:
            rolling |= dict(zip(target.faults.rows, target.faults.dice, strict=True))
    dice = tuple(
        rolling.get(fault) or _fault_dice(fault, route, share.backend, worker)
        for fault in share.faults
    )
    return TargetFaults(share.faults, dice)


def _fault_dice(fault: Fault, route: Route, backend: str, worker: int) -> Random:
    """Return dice of a fault's own: seeded ones repeat, per worker, after a restart."""
    if fault.seed is None:
        return Random(SystemRandom().getrandbits(64))  # noqa: S311 (not a secret)
    names = (route.service or route.key, route.tag, backend, fault.name)
    return Random(f"{fault.seed}/{'/'.join(names)}/{worker}")  # noqa: S311
