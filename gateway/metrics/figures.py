"""What a worker counts as a whole: plain attributes that its parts add to or set."""

from __future__ import annotations

from gateway.metrics.layout import REFUSED_STATUSES


class WorkerFigures:
    """Counters only grow; gauges are set or moved both ways."""

    def __init__(self) -> None:
        # Counters.
        self.cpu_us = 0  # user and system time of the worker's process; `registry` sets it
        self.connections_accepted = 0
        self.connections_refused = 0  # over `connections_max`
        self.h2_connections_accepted = 0  # of those accepted
        self.h2_streams_begun = 0
        self.dials = 0  # connections to replicas that were begun
        self.dial_failures = 0
        self.retries = 0  # requests that were sent a second time
        self.tables_installed = 0
        self.tables_refused = 0
        self.access_log_lines = 0
        self.access_log_dropped = 0
        self.sessions_forgotten = 0  # before they expired: there was no room
        self.turns_alone = 0  # that all workers were to take together
        self.refused = [0] * len(REFUSED_STATUSES)
        # Gauges.
        self.connections_open = 0
        self.h2_connections_open = 0
        self.pool_idle = 0  # connections to replicas, unused
        self.pool_in_use = 0
        self.requests_waiting = 0
        self.table_version = 0
        self.table_install_us = 0  # how long the last one took
        self.splits_alone = 0  # whose turns all workers were to take together

    def refuse(self, status: int) -> None:
        """Count a head that was refused before it had a target."""
        for index, one in enumerate(REFUSED_STATUSES):
            if one == status:
                self.refused[index] += 1
                return
        self.refused[-1] += 1

    def counters(self) -> list[int]:
        """Return the counters in the order of `layout.WORKER_COUNTERS`."""
        return [
            self.cpu_us,
            self.connections_accepted,
            self.connections_refused,
            self.h2_connections_accepted,
            self.h2_streams_begun,
            self.dials,
            self.dial_failures,
            self.retries,
            self.tables_installed,
            self.tables_refused,
            self.access_log_lines,
            self.access_log_dropped,
            self.sessions_forgotten,
            self.turns_alone,
            *self.refused,
        ]

    def restore(self, counters: list[int]) -> None:
        """Go on from the counters that a predecessor left."""
        (
            self.cpu_us,
            self.connections_accepted,
            self.connections_refused,
            self.h2_connections_accepted,
            self.h2_streams_begun,
            self.dials,
            self.dial_failures,
            self.retries,
            self.tables_installed,
            self.tables_refused,
            self.access_log_lines,
            self.access_log_dropped,
            self.sessions_forgotten,
            self.turns_alone,
            *self.refused,
        ) = counters

    def gauges(self) -> list[int]:
        """Return the gauges in the order of `layout.WORKER_GAUGES`."""
        return [
            self.connections_open,
            self.h2_connections_open,
            self.pool_idle,
            self.pool_in_use,
            self.requests_waiting,
            self.table_version,
            self.table_install_us,
            self.splits_alone,
        ]
