"""Sessions that are known by a cookie: nothing of any of them is held here."""

from __future__ import annotations

from collections.abc import Callable

from gateway.contract import Split
from gateway.sticky.cookies import SEVERAL, SessionCookie
from gateway.sticky.places import Place, Positions, moved, stays
from gateway.sticky.stickiness import KEPT, MOVED, NEW, Seat, Stickiness


class CookieStickiness(Stickiness):
    """Where a session stands is in its cookie, signed."""

    kind: str = "cookie"

    def __init__(self, row: Split, key: bytes, positions: Positions, idle_s_max: float) -> None:
        super().__init__(row, key, positions, idle_s_max)
        self._cookie = SessionCookie(row.sticky_name)

    def seat(self, lines: list[bytes], ip: str, now_s: int, turn: Callable[[], int]) -> Seat:
        del ip
        value = self._cookie.value(lines)
        if not value:
            return self._new(now_s, turn, "no-cookie")
        if value == SEVERAL:
            return self._new(now_s, turn, "several-cookies")
        token = self.signer.read(value)
        if token is None:
            return self._new(now_s, turn, "not-ours")
        age_s = now_s - token.written_s
        if age_s > self.idle_s_max:
            return self._new(now_s, turn, "expired")
        place = token.place
        if stays(place, self.shares):
            # Half of its time is enough: an answer with a cookie is one that caches leave alone.
            cookie = self._line(place, now_s) if age_s * 2 > self.idle_s_max else b""
            return Seat(self.names.index(place.target), KEPT, "", cookie)
        moved_to = moved(place, token.shares(), self.shares)
        if moved_to is None:
            return self._new(now_s, turn, "not-ours")
        because = self.why_moved(place.target)
        index = self.names.index(moved_to.target)
        return Seat(index, MOVED, because, self._line(moved_to, now_s))

    def _new(self, now_s: int, turn: Callable[[], int], because: str) -> Seat:
        place = self.dealt(turn)
        return Seat(self.names.index(place.target), NEW, because, self._line(place, now_s))

    def _line(self, place: Place, now_s: int) -> bytes:
        return self._cookie.line(self.signer.written(place, self.shares, now_s))
