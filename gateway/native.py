"""What mypyc is told about a class; nobody needs mypyc's own package to run the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["mypyc_attr"]

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:

    def mypyc_attr(**_):
        """Return a decorator that changes nothing: mypyc reads it, Python need not."""
        return lambda decorated: decorated
