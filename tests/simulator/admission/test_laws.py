"""What holds of admission whatever is asked of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.admission.admit import admit
from simulator.admission.fielderrors import (
    Errors,
    FieldError,
    merged,
    refusals,
    render,
    via_field,
    warnings,
)
from simulator.admission.settings import STOCK_FEATURES, Defaults
from simulator.errors import ApiError
from simulator.resources.decoding import decode
from simulator.resources.meta import Resource
from simulator.resources.scheme import BY_KIND, BY_TYPE, from_document, to_document
from simulator.resources.serving import Configuration, Revision, Route, Service
from simulator.resources.shapes import shape_of
from simulator.store import transitions
from simulator.store.patching import copied, merge_patch
from tests.support.manifests import Document, container, service
from tests.support.shaped import shaped

# Errors ----------------------------------------------------------------------------------------

PATHS = st.lists(st.sampled_from(["a", "b.c", "[0]", "[x.y/z]", ""]), max_size=3, unique=True)
ERRORS = st.lists(
    st.builds(
        FieldError,
        message=st.sampled_from(["missing field(s)", "invalid value: x", "m"]),
        paths=PATHS.map(tuple),
        details=st.sampled_from(["", "one", "two"]),
        is_warning=st.booleans(),
    ),
    max_size=6,
).map(tuple)


@given(ERRORS, st.randoms())
def test_the_order_in_which_errors_were_found_is_not_told(errors: Errors, random: Any) -> None:
    shuffled = list(errors)
    random.shuffle(shuffled)
    assert merged(shuffled) == merged(errors)


@given(ERRORS)
def test_merging_again_changes_nothing_and_loses_no_path(errors: Errors) -> None:
    once = merged(errors)
    assert merged(once) == once
    told = {(one.message, one.details, one.is_warning, path) for one in once for path in one.paths}
    assert told == {
        (one.message, one.details, one.is_warning, path) for one in errors for path in one.paths
    }
    assert len({(one.message, one.details, one.is_warning) for one in once}) == len(once)
    assert all(list(one.paths) == sorted(set(one.paths)) for one in once)


@given(ERRORS, ERRORS)
def test_parts_may_be_merged_before_the_whole(first: Errors, second: Errors) -> None:
    assert merged(merged(first) + merged(second)) == merged(first + second)


@given(ERRORS)
def test_each_error_either_refuses_or_warns(errors: Errors) -> None:
    assert merged(refusals(errors) + warnings(errors)) == merged(errors)
    assert render(refusals(errors)) + render(warnings(errors)) == "" or errors


@given(ERRORS, st.sampled_from(["spec", "a.b"]), st.sampled_from(["c", "[1]"]))
def test_where_it_was_found_may_be_said_step_by_step(
    errors: Errors, outer: str, inner: str
) -> None:
    assert via_field(via_field(errors, inner), outer) == via_field(errors, outer, inner)


# Documents -------------------------------------------------------------------------------------

EVERYTHING = frozenset(
    {
        *STOCK_FEATURES,
        "kubernetes.podspec-init-containers",
        "kubernetes.podspec-securitycontext",
        "kubernetes.podspec-volumes-image",
        "kubernetes.podspec-persistent-volume-claim",
        "multi-container-probing",
        "secure-pod-defaults",
    }
)
SETTINGS = st.sampled_from(
    [
        Defaults(),
        Defaults(features=EVERYTHING),
        Defaults(features=STOCK_FEATURES, allowed=EVERYTHING - STOCK_FEATURES),
        Defaults(
            revision_timeout_seconds=30,
            revision_idle_timeout_seconds=10,
            revision_requests={"cpu": "100m"},
            container_name_template="{{.Name}}",
            enable_service_links=None,
        ),
    ]
)
KINDS = (Service, Configuration, Revision, Route)


def document_of(kind: type[Resource], body: Any) -> Document:
    info = BY_TYPE[kind]
    return {"metadata": {"name": "hello"}} | {
        **(body if isinstance(body, dict) else {"spec": body}),
        "apiVersion": info.api_version,
        "kind": info.kind,
    }


def taken(document: Document, old: Resource | None, defaults: Defaults) -> Resource | None:
    """Return what admission makes of a client's document, None when it refuses it."""
    info = BY_KIND[document["apiVersion"], document["kind"]]
    try:
        return admit(decode(document, info).object, old, "ann", defaults).object
    except ApiError:
        return None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_document_is_admitted_or_refused_as_an_api_error(
    kind: type[Resource], data: st.DataObject
) -> None:
    defaults = data.draw(SETTINGS)
    bodies = shaped(shape_of(kind))
    old = taken(document_of(kind, data.draw(bodies)), None, defaults)
    new = taken(document_of(kind, data.draw(bodies)), old, defaults)
    for one in (old, new):
        if one is not None:
            assert from_document(copied(to_document(one))) == one


NAMES = st.sampled_from(["A", "B", "TARGET"])
PROBES = st.sampled_from(
    [
        None,
        {},
        {"httpGet": {"path": "/", "port": 0}},
        {"tcpSocket": {}, "periodSeconds": 5},
        {"grpc": {"port": 1}, "successThreshold": 2},
        {"exec": {"command": ["true"]}, "timeoutSeconds": 0},
    ]
)
CONTAINERS = st.fixed_dictionaries(
    {"image": st.sampled_from(["reg.example/app:1", "reg.example/app"])},
    optional={
        "name": st.sampled_from(["", "app"]),
        "ports": st.sampled_from([[], [{"containerPort": 8080}], [{"name": "h2c"}]]),
        "env": st.lists(NAMES, unique=True, max_size=3).map(
            lambda names: [{"name": name, "value": "x"} for name in names]
        ),
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "limits": st.dictionaries(
                    st.sampled_from(["cpu", "memory"]),
                    st.sampled_from(["1000m", 0.5, 1, "1024Mi", "1e3", None]),
                )
            },
        ),
        "readinessProbe": PROBES,
        "envFrom": st.just([{"configMapRef": {"name": "c"}}]),
        "securityContext": st.sampled_from([None, {}, {"runAsUser": 1}]),
        "volumeMounts": st.just([{"name": "v", "mountPath": "/v"}]),
    },
)
TRAFFIC = st.sampled_from(
    [
        None,
        [],
        [{"percent": 100}],
        [{"latestRevision": True, "percent": 100}],
        [{"revisionName": "hello-00001", "percent": 90}, {"percent": 10, "tag": "new"}],
        [{"revisionName": "hello-00001", "percent": 100}, {"tag": "new"}],
    ]
)
VOLUMES = st.sampled_from(
    [
        {"name": "v", "emptyDir": {}},
        {"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}},
    ]
)
SERVICES = st.builds(
    lambda own, traffic, volume, spec, name: service(
        traffic,
        None,
        {"name": name} if name else {},
        **{
            "containers": [container(**own)],
            "volumes": [volume] if own.get("volumeMounts") else [],
            **spec,
        },
    ),
    CONTAINERS,
    TRAFFIC,
    VOLUMES,
    st.fixed_dictionaries(
        {},
        optional={
            "timeoutSeconds": st.sampled_from([0, 10, 400, None]),
            "containerConcurrency": st.sampled_from([0, 5]),
            "enableServiceLinks": st.booleans(),
        },
    ),
    st.sampled_from(["", "hello-second"]),
)


def stored(document: Document, defaults: Defaults) -> Resource:
    made = taken(document, None, defaults)
    assert made is not None, "these are all fine"
    return transitions.create(made, name="hello", uid="u", now="2026-01-02T03:04:05Z")


@settings(max_examples=60, deadline=None)
@given(SERVICES, SETTINGS)
def test_defaulting_again_changes_nothing(document: Document, defaults: Defaults) -> None:
    once = stored(document, defaults)
    again = admit(once, None, "ann", defaults).object
    assert again == once
    assert admit(once, once, "bob", defaults).object == once


@settings(max_examples=60, deadline=None)
@given(SERVICES, SETTINGS)
def test_applying_the_same_manifest_again_makes_no_new_generation(
    document: Document, defaults: Defaults
) -> None:
    old = stored(document, defaults)
    # kubectl and kn send their manifest as a merge patch, which replaces lists whole.
    assume("name" not in document["spec"]["template"]["metadata"])
    patched = merge_patch(copied(to_document(old)), copied(document))
    new = taken(patched, old, defaults)
    assert new is not None
    outcome = transitions.update(old, new.with_metadata(generation=old.metadata.generation))
    assert isinstance(outcome, transitions.Unchanged)
