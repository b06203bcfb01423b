"""Documents that have a kind's shape, more or less: what a careless client might send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
)

FIELDS_MAX = 4
DEPTH_MAX = 9

# Words that mean something somewhere, right or wrong.
WORDS = (
    "",
    "x",
    "hello",
    "hello-00001",
    "hello-second",
    "A",
    "PORT",
    "a b",
    "http1",
    "h2c",
    "queue-proxy",
    "user-container",
    "TCP",
    "UDP",
    "Memory",
    "File",
    "/dev",
    "/data",
    "60s",
    "1.5s",
    "-1",
    "0",
    "1",
    "500m",
    "1Gi",
    "NaN",
    "reg.example/app:1",
    "foo:bar:baz",
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/window",
    "serving.knative.dev/rollout-duration",
    "serving.knative.dev/creator",
    "ключ",
    "\0",
)
NUMBERS = (-(2**63) - 1, -1, 0, 1, 50, 100, 101, 8012, 8080, 65536, 2**31, 2**63)

_texts = st.sampled_from(WORDS)
_scalars: dict[str, st.SearchStrategy[Any]] = {
    "string": _texts,
    "boolean": st.booleans(),
    "integer": st.sampled_from(NUMBERS),
    "number": st.floats(allow_nan=False, allow_infinity=False),
}
_any = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=6,
)


@st.composite
def shaped(draw: st.DrawFn, shape: Shape, depth: int = 0) -> Any:
    """Draw a value of the shape; now and then anything else in the place of a part."""
    if depth > DEPTH_MAX or draw(st.integers(0, 19)) == 0:
        return draw(_any)
    match shape:
        case ObjectShape():
            names = sorted(shape.fields)
            chosen = draw(st.lists(st.sampled_from(names), max_size=FIELDS_MAX, unique=True))
            return {name: draw(shaped(shape.fields[name], depth + 1)) for name in chosen}
        case ListShape():
            count = draw(st.integers(0, 2))
            return [draw(shaped(shape.item, depth + 1)) for _ in range(count)]
        case MapShape():
            keys = draw(st.lists(_texts, max_size=2, unique=True))
            return {key: draw(shaped(shape.value, depth + 1)) for key in keys}
        case ScalarShape():
            return draw(_scalars[draw(st.sampled_from(shape.names))])
        case AnyShape():
            return draw(_any)
