"""What a controller may see of the world: objects as they were last committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from simulator.resources.meta import R


class Reader(Protocol):
    """A view of the store, without writes."""

    def get(self, kind: type[R], namespace: str, name: str) -> R | None:
        """Return the object, or None."""

    def list(
        self,
        kind: type[R],
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Sequence[R]:
        """Return the kind's objects by (namespace, name); all namespaces when None."""

    def owned_by(self, kind: type[R], uid: str) -> Sequence[R]:
        """Return the kind's objects that name `uid` among their owners, by (namespace, name)."""

    def naming(self, kind: type[R], namespace: str, named: str, name: str) -> Sequence[R]:
        """Return the kind's objects that refer to the `named` kind's object of that name."""
