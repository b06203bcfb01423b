"""A route ready for use: its splits, and the turns that outlive their changes."""

from __future__ import annotations

from gateway.contract import Route, Share, Split
from gateway.forwarding import HeaderRules
from gateway.metrics.cell import Cell
from gateway.metrics.registry import Metrics
from gateway.splitting.hashing import HashRanges
from gateway.splitting.splitter import Splitter
from gateway.upstream.pool import BackendState


class Target:
    """One share of a split, ready for use: the backend, and what its requests carry."""

    def __init__(self, backend: BackendState, share: Share, route: Route) -> None:
        self.backend = backend
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
        self, row: Split, targets: tuple[Target, ...], splitter: Splitter, turns: int
    ) -> None:
        self.row = row
        self.targets = targets
        self.splitter = splitter
        self.turns = turns  # so many requests had theirs
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

    def _key(self, lines: list[bytes], ip: str) -> bytes:
        """Return what is hashed: a header's values, or without a name of one the address."""
        if not self._key_name:
            return ip.encode()
        # Several lines are one list (RFC 9110, 5.3); none is the empty text, as nginx has it.
        found = (line.partition(b": ") for line in lines)
        return b", ".join(
            [text.strip() for name, _, text in found if name.lower() == self._key_name]
        )

    def pick_explained(self, lines: list[bytes], ip: str) -> tuple[Target, str]:
        """Return the target of this request, and how likely it was, as header parameters."""
        key = self._key(lines, ip) if self.is_keyed else b""
        chances = self.splitter.chances_for(key)
        target = self.pick_for(lines, ip)
        chance = chances[self.targets.index(target)]
        total = sum(each.weight for each in self.targets)
        return target, (
            f"revision={target.backend.name.decode()}; share={target.weight / total:.4g}; "
            f"splitter={self.row.splitter}; turn={self.turns}; chance={chance:.4g}"
        )

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
        self.is_plain = not rules and not split.is_keyed  # `split.pick` is all it takes

    def split_for(self, lines: list[bytes]) -> CompiledSplit:
        """Return the split of the first rule that a header line meets, else the route's own."""
        for wanted, split in self.rules:
            for line in lines:
                name, _, value = line.partition(b": ")
                if name.lower() + b": " + value == wanted:
                    return split
        return self.split

    def pick_explained(self, lines: list[bytes], ip: str) -> tuple[Target, str]:
        """Return the target of this request, and why it is that one, as header parameters."""
        split = self.split_for(lines)
        target, chance = split.pick_explained(lines, ip)
        rule = "host" if split is self.split else "header"
        tag = f"; tag={self.row.tag}" if self.row.tag else ""
        return target, f'route="{self.row.service or self.row.key}"{tag}; rule={rule}; {chance}'

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
