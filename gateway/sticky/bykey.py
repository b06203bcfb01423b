"""Sessions that are known by what each request has anyway: a header's value, or its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.contract import Split
from gateway.sticky.places import Place, Positions, Shares, moved, stays
from gateway.sticky.stickiness import ALONE, KEPT, MOVED, NEW, Seat, Stickiness
from gateway.sticky.table import Record, SessionTable

_NO_SHARES: Final = Shares({})


class KeyStickiness(Stickiness):
    """Where a session stands is in the table that all workers share."""

    def __init__(
        self,
        row: Split,
        key: bytes,
        positions: Positions,
        idle_s_max: float,
        table: SessionTable,
    ) -> None:
        super().__init__(row, key, positions, idle_s_max)
        self.kind = row.sticky
        self._header = row.sticky_name.encode("latin-1")
        self._table = table
        self._shares_name = table.remember(self.shares)

    def seat(self, lines: list[bytes], ip: str, now_s: int, turn: Callable[[], int]) -> Seat:
        value = header_value(lines, self._header) if self._header else ip.encode()
        if not value:
            return Seat(turn(), ALONE, "no-header")
        table = self._table
        digest = table.digest(self.split, value)
        is_taken = table.take(digest)
        try:
            record = table.find(digest, now_s, self.idle_s_max)
            place = self._place(record) if record is not None else None
            outcome, because = KEPT, ""
            if place is None:
                place = self.dealt(turn)
                outcome, because = NEW, "unknown"
            elif record is not None and place.target != record.place.target:
                outcome, because = MOVED, self.why_moved(record.place.target)
            if is_taken:
                table.put(digest, Record(place, self._shares_name), now_s, self.idle_s_max)
        finally:
            if is_taken:
                table.give(digest)
        return Seat(self.names.index(place.target), outcome, because)

    def _place(self, record: Record) -> Place | None:
        """Return where the session stands now; None: nowhere, so that it begins anew."""
        if stays(record.place, self.shares):
            return record.place
        before = self._table.recall(record.shares) or _NO_SHARES
        return moved(record.place, before, self.shares)


def header_value(lines: list[bytes], name: bytes) -> bytes:
    """Return the value of the header `name` (lower case); several lines are one list.

    RFC 9110, 5.3. Without the header it is the empty text.
    """
    found = (line.partition(b": ") for line in lines)
    return b", ".join([text.strip() for each, _, text in found if each.lower() == name])
