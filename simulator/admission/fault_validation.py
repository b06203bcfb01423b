"""The rules of Faults: types, attributes and their bounds are those of `resources.faults`."""

from __future__ import annotations

from difflib import get_close_matches

from simulator.admission.fielderrors import (
    NONE,
    Errors,
    generic,
    missing_field,
    out_of_bounds,
    via_field,
)
from simulator.resources.faults import ATTRIBUTES, NEEDED, STREAMS, Fault, FaultSpec


def validate_fault(new: Fault) -> Errors:
    """Return what is wrong with a Fault. What it is about need not exist yet."""
    spec = new.spec
    errors = NONE if spec.service else missing_field("service")
    if not spec.type:
        errors += missing_field("type")
    elif spec.type not in ATTRIBUTES:
        errors += _unknown("type", spec.type, tuple(ATTRIBUTES), "type")
    else:
        errors += via_field(_validate_attributes(spec), "attributes")
    if spec.stream not in STREAMS:
        errors += _unknown("stream", spec.stream, STREAMS, "stream")
    elif spec.stream == "upstream" and spec.type != "latency":
        errors += generic("only latency can be upstream", "stream")
    if not 0 <= spec.toxicity <= 1:
        errors += out_of_bounds(spec.toxicity, 0, 1, "toxicity")
    return via_field(errors, "spec")


def _validate_attributes(spec: FaultSpec) -> Errors:
    known, errors = ATTRIBUTES[spec.type], NONE
    for name, value in spec.attributes.items():
        if name not in known:
            errors += _unknown(f"attribute of {spec.type}", name, tuple(known), name)
        elif not known[name][0] <= value <= known[name][1]:
            errors += out_of_bounds(value, *known[name], name)
    needed = NEEDED.get(spec.type)
    if needed and needed not in spec.attributes:
        errors += missing_field(needed)
    return errors


def _unknown(what: str, name: str, known: tuple[str, ...], path: str) -> Errors:
    close = get_close_matches(name, known, 1)
    hint = f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"
    return generic(f'unknown {what} "{name}": {hint}', path)
