"""Values and requests drawn from our own OpenAPI documents: fit, nearly fit, and unfit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.support.openapi_schema import Schema, Schemas

DEPTH_MAX = 5
FIELDS_MAX = 3
NAMES = ("a", "b", "hello", "hello-00001")
ODD_NAMES = ("A", "a b", "x" * 70, "ä", "..", "%2f", "a.b", "0")
TEXTS = st.sampled_from(["", "a", "hello", "Always", "TCP", "http", "80", "500m", "x" * 70, "ä\0"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=4), below, max_size=2)
    ),
    max_leaves=4,
)
IMAGE = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56"
_POD_SPEC = {"containers": [{"image": IMAGE}]}

# What makes an object of each kind fit to be stored; what is not here, is fit with metadata alone.
SEEDS: Mapping[str, Any] = {
    "serving.knative.dev/Service": {"spec": {"template": {"spec": _POD_SPEC}}},
    "serving.knative.dev/Configuration": {"spec": {"template": {"spec": _POD_SPEC}}},
    "serving.knative.dev/Revision": {"spec": _POD_SPEC},
    "serving.knative.dev/Route": {
        "spec": {"traffic": [{"configurationName": "hello", "percent": 100}]}
    },
    "serving.knative.dev/DomainMapping": {
        "spec": {
            "ref": {"kind": "Service", "name": "hello", "apiVersion": "serving.knative.dev/v1"}
        }
    },
    "/Service": {"spec": {"ports": [{"port": 80}]}},
    "authorization.k8s.io/SelfSubjectAccessReview": {
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}
    },
    "authorization.k8s.io/SelfSubjectRulesReview": {"spec": {"namespace": "default"}},
}


@st.composite
def values(draw: st.DrawFn, schemas: Schemas, schema: Schema, depth: int = 0) -> Any:
    """Return a value that the schema allows; now and then one that it does not."""
    if draw(st.integers(0, 24)) == 0:
        return draw(JSON)
    schema = schemas.resolved(schema)
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return draw(values(schemas, draw(st.sampled_from(choices)), depth + 1))
    match schema.get("type"):
        case "object" if depth >= DEPTH_MAX:
            return {}
        case "object" if "properties" in schema:
            names = draw(
                st.lists(st.sampled_from(sorted(schema["properties"])), max_size=FIELDS_MAX)
            )
            names += schema.get("required", ())
            return {
                name: draw(values(schemas, schema["properties"][name], depth + 1)) for name in names
            }
        case "object" if "additionalProperties" in schema:
            key = draw(TEXTS)
            return {key: draw(values(schemas, schema["additionalProperties"], depth + 1))}
        case "array":
            size = draw(st.integers(0, 2 if depth < DEPTH_MAX else 0))
            return [draw(values(schemas, schema["items"], depth + 1)) for _ in range(size)]
        case "string":
            moments = st.sampled_from(["2026-01-02T03:04:05Z", "yesterday"])
            return draw(moments if schema.get("format") == "date-time" else TEXTS)
        case "integer" | "number":
            return draw(st.integers(-1, 101) | st.sampled_from([8080, 65536, 2**31, 2**63]))
        case "boolean":
            return draw(st.booleans())
        case _:
            return draw(JSON)


@st.composite
def objects(
    draw: st.DrawFn, schemas: Schemas, schema: Schema, kind: Mapping[str, str], name: str
) -> Any:
    """Return an object of the kind: its seed, with up to two drawn values grafted onto it."""
    version = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
    seed = json.loads(json.dumps(SEEDS.get(f"{kind['group']}/{kind['kind']}", {})))
    is_review = kind["kind"].endswith("Review")
    metadata = {} if is_review else {"name": name}
    document = {"apiVersion": version, "kind": kind["kind"], "metadata": metadata} | seed
    for _ in range(draw(st.integers(0, 2))):
        holder, below, depth = document, schemas.resolved(schema), 0
        while True:
            field = draw(st.sampled_from(sorted(below["properties"])))
            next_schema = schemas.resolved(below["properties"][field])
            inner = holder.get(field)
            if not isinstance(inner, dict) or "properties" not in next_schema or depth > 4:
                holder[field] = draw(values(schemas, below["properties"][field], depth))
                break
            holder, below, depth = inner, next_schema, depth + 1
    if draw(st.integers(0, 30)) == 0:
        return draw(JSON)
    return document


@st.composite
def patches(draw: st.DrawFn, schemas: Schemas, schema: Schema, media_type: str) -> Any:
    """Return a patch of the media type; every other one fits whatever it is laid on."""
    if draw(st.booleans()):
        labels = draw(
            st.dictionaries(st.sampled_from(["a", "b.example/c"]), st.just("x"), max_size=2)
        )
        if media_type == "application/json-patch+json":
            return [{"op": "add", "path": "/metadata/labels", "value": labels}]
        return {"metadata": {"labels": labels}}
    if media_type == "application/json-patch+json":
        places = ["/metadata/labels", "/spec", "/spec/template/metadata", "/data", "/x/y", "", "/-"]
        return [
            {
                "op": draw(
                    st.sampled_from(["add", "remove", "replace", "test", "move", "copy", "?"])
                ),
                "path": draw(st.sampled_from(places)),
                "from": draw(st.sampled_from(places)),
                "value": draw(JSON),
            }
            for _ in range(draw(st.integers(0, 3)))
        ]
    return draw(values(schemas, schema))


@st.composite
def queries(draw: st.DrawFn, parameters: list[Mapping[str, Any]]) -> str:
    """Return a query string of some of the parameters, most of the time with fit values."""
    left_out = {"watch", "follow"}  # these do not end by themselves
    if draw(st.booleans()):
        left_out |= {"force"}  # of an apply alone
    names = {one["name"]: one["schema"]["type"] for one in parameters if one["in"] == "query"}
    chosen = draw(st.lists(st.sampled_from(sorted(set(names) - left_out) or [""]), max_size=2))
    fit: Mapping[str, st.SearchStrategy[str]] = {
        "dryRun": st.just("All"),
        "fieldManager": st.sampled_from(["me", "you", "them", "x" * 200, "\n"]),
        "fieldValidation": st.sampled_from(["Strict", "Warn", "Ignore"]),
        "labelSelector": st.sampled_from(["a=b", "a", "!a,b in (c,d)", "(", "a=b=c"]),
        "fieldSelector": st.sampled_from(["metadata.name=a", "spec.x=1", "="]),
        "propagationPolicy": st.sampled_from(["Background", "Foreground", "Orphan"]),
    }
    found = {}
    for name in chosen:
        if not name:
            continue
        by_type = {"boolean": ["true", "false", ""], "integer": ["0", "1", "500", "-1", "x"]}
        usual = fit.get(name, st.sampled_from(by_type.get(names[name], ["", "1", "x"])))
        found[name] = draw(st.text(max_size=5) if draw(st.integers(0, 9)) == 0 else usual)
    return "?" + urlencode(found) if found else ""


def filled(path: str, names: Mapping[str, str]) -> str:
    """Return the path with each brace filled in."""
    for segment, name in names.items():
        path = path.replace(f"{{{segment}}}", quote(name, safe=""))
    return path
