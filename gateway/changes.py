"""What the deltas since the last commit come to: each row once, the latest of its key. Pure."""

from __future__ import annotations

from gateway.contract import Backend, Delta, Route


class Change:
    """Rows by key; None for one that is gone. Nothing of it is served before it is installed."""

    def __init__(self) -> None:
        self.routes: dict[str, Route | None] = {}
        self.backends: dict[str, Backend | None] = {}

    def take(self, delta: Delta) -> None:
        """Put these rows over those that came before."""
        for key in delta.routes_gone:
            self.routes[key] = None
        for key in delta.backends_gone:
            self.backends[key] = None
        for route in delta.routes:
            self.routes[route.key] = route
        for backend in delta.backends:
            self.backends[backend.key] = backend

    def rows(self) -> int:
        """Return how many rows it is about."""
        return len(self.routes) + len(self.backends)
