"""The one way in: default, then validate, then store what comes back."""

from __future__ import annotations

from msgspec import Struct

from simulator.admission.settings import STOCK, Defaults
from simulator.resources.meta import Resource


class Admitted(Struct, frozen=True):
    """What may be stored, and what to tell the client beside (HTTP `Warning: 299` headers)."""

    object: Resource
    warnings: tuple[str, ...] = ()


def admit(
    new: Resource, old: Resource | None, user: str, defaults: Defaults = STOCK
) -> Admitted:
    """Return the object with defaults filled in, or raise BadRequest or Invalid."""
    raise NotImplementedError
