"""What an apply would take from others, as the refusal says it.

Source: apimachinery `util/managedfields/internal/conflict.go`.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.errors import ApplyConflict
from simulator.fieldownership.elements import shown
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.managers import Manager

Conflicts = Mapping[Manager, FieldSet]


def refusal(conflicts: Conflicts) -> ApplyConflict:
    """Return the error: a cause for each field, and one sentence with them all."""
    each = [
        (manager, shown(path))
        for manager in sorted(conflicts, key=Manager.shown)
        for path in conflicts[manager].paths()
    ]
    causes = [(f"conflict with {manager.shown()}", path) for manager, path in each]
    if len(each) == 1:
        message, path = causes[0]
        return ApplyConflict.of(f"Apply failed with 1 conflict: {message}: {path}", causes)
    lines: list[str] = []
    last = ""
    for manager, path in each:
        if manager.shown() != last:
            last = manager.shown()
            lines.append(f"conflicts with {last}:")
        lines.append(f"- {path}")
    return ApplyConflict.of(f"Apply failed with {len(each)} conflicts: " + "\n".join(lines), causes)
