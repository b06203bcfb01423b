"""What a peer may waste: a burst at once, and a little all the time. Pure."""

from __future__ import annotations

from gateway.http2.errors import ConnectionFailure, ErrorCode
from gateway.settings import Http2Settings


class Allowance:
    """A bucket that fills with each waste and drains with time; honest work drains it too."""

    __slots__ = ("_burst", "_level", "_per_s", "_since")

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._level = 0.0
        self._since = 0.0

    def spend(self, now: float) -> bool:
        """Count one waste; tell whether it is still within the limit. `now` never goes back."""
        self._level = max(0.0, self._level - (now - self._since) * self._per_s) + 1.0
        self._since = now
        return self._level <= self._burst

    def earn(self, amount: float) -> None:
        """Take back so many: the peer did something worth them."""
        self._level = max(0.0, self._level - amount)


class Waste:
    """One connection's frames that cost us more than their sender. Each is counted as it comes.

    Every method raises ConnectionFailure when it is too much (RFC 9113 10.5).
    """

    def __init__(self, limits: Http2Settings) -> None:
        self._resets = Allowance(limits.resets_burst_max, limits.resets_per_s)
        self._pings = Allowance(limits.pings_burst_max, limits.pings_per_s)
        self._settings = Allowance(limits.settings_burst_max, limits.settings_per_s)
        self._priorities = Allowance(limits.priorities_burst_max, limits.priorities_per_s)
        self._empties = Allowance(limits.empty_frames_burst_max, limits.empty_frames_per_s)
        self._updates = Allowance(limits.window_updates_burst_max, limits.window_updates_per_s)
        self._tinies = Allowance(limits.tiny_data_frames_burst_max, limits.tiny_data_frames_per_s)
        self._updates_per_data_frame = limits.window_updates_per_data_frame_max
        self._sent_at_update = 0  # DATA frames
        self._sent_at_ping = 0
        self._last_id_at_priority = 0

    def reset(self, now: float) -> None:
        """Count a stream that ended before its time, by whomever."""
        if not self._resets.spend(now):
            raise calm_down("too many streams were reset")

    def whole_stream(self) -> None:
        """A stream ended as it should: worth a reset."""
        self._resets.earn(1)

    def tiny_data(self, length: int, now: float) -> None:
        """Count a DATA frame with next to nothing in it."""
        if not (self._tinies if length else self._empties).spend(now):
            raise calm_down("too many tiny DATA frames")

    def window_update(self, data_frames: int, now: float) -> None:
        """Count a WINDOW_UPDATE; the DATA frames that were sent so far are worth some."""
        if data_frames != self._sent_at_update:
            self._updates.earn((data_frames - self._sent_at_update) * self._updates_per_data_frame)
            self._sent_at_update = data_frames
        if not self._updates.spend(now):
            raise calm_down("too many WINDOW_UPDATEs")

    def ping(self, data_frames: int, now: float) -> None:
        """Count a PING; gRPC measures the link with them while DATA frames are sent to it."""
        if data_frames != self._sent_at_ping:
            self._pings.earn(data_frames - self._sent_at_ping)
            self._sent_at_ping = data_frames
        if not self._pings.spend(now):
            raise calm_down("too many PINGs")

    def settings(self, now: float) -> None:
        """Count a SETTINGS frame, or the answer to one."""
        if not self._settings.spend(now):
            raise calm_down("too many SETTINGS")

    def priority(self, last_id: int, now: float) -> None:
        """Count a frame that means nothing to us; each stream (up to `last_id`) is worth two."""
        if last_id != self._last_id_at_priority:
            self._priorities.earn(last_id - self._last_id_at_priority)
            self._last_id_at_priority = last_id
        if not self._priorities.spend(now):
            raise calm_down("too many frames about priority, or of unknown types")


def calm_down(detail: str) -> ConnectionFailure:
    """Return the failure of a peer that wastes our time (RFC 9113 10.5)."""
    return ConnectionFailure(ErrorCode.ENHANCE_YOUR_CALM, detail)
