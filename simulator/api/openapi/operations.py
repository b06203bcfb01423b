"""The paths of one group and version with all that may be done there. Pure.

Source: apiserver `endpoints/installer.go` (parameters of each verb), apiextensions
`controller/openapi/builder` (what a custom resource has).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from simulator.api.bodies import body_types, patch_types
from simulator.api.openapi.facts import META
from simulator.api.openapi.schemas import Schema, Schemas, kind_name
from simulator.api.paths import Verb, subresources_of, verbs_of
from simulator.resources.scheme import KindInfo

Document = dict[str, Any]

_NAME = "The object's name."
_NAMESPACE = "The namespace that the object is in, or is to be in."
_FIELD_VALIDATION = (
    "What becomes of unknown and repeated fields: Strict refuses, Warn (the default) drops and"
    " names them, Ignore drops them."
)
_PROPAGATION = (
    "Background: gone at once, and then what belongs to it. Foreground: what belongs to it goes"
    " first. Orphan: what belongs to it stays."
)
_PRETTY = "Accepted and without effect: the answer is always compact."

# What a query may say; (type, what it means).
_WORDS: Mapping[str, tuple[str, str]] = {
    "allowWatchBookmarks": ("boolean", "Whether the watch may tell how far it has come."),
    "container": ("string", "The container whose log is read; the only one unless there are more."),
    "continue": ("string", "Where the last page ended: what its metadata.continue said."),
    "dryRun": ("string", "All: answer as if it were done, and change nothing."),
    "fieldManager": ("string", "Who writes: the name under which the fields are noted."),
    "fieldSelector": ("string", "Only objects with such fields, such as metadata.name=hello."),
    "fieldValidation": ("string", _FIELD_VALIDATION),
    "follow": ("boolean", "Whether to stay and send what is written from now on."),
    "force": ("boolean", "Of an apply: take over the fields that another manager has."),
    "gracePeriodSeconds": ("integer", "How long a replica may take to end."),
    "labelSelector": ("string", "Only objects with such labels, such as a=b,c in (d,e),!f."),
    "limit": ("integer", "How many objects a page has at most."),
    "limitBytes": ("integer", "How many bytes of the log are sent at most."),
    "orphanDependents": ("boolean", "Older than propagationPolicy: true means Orphan."),
    "pretty": ("string", _PRETTY),
    "previous": ("boolean", "Whether the log is that of the run before this one."),
    "propagationPolicy": ("string", "What becomes of what belongs to it: see DeleteOptions."),
    "resourceVersion": ("string", "The version that the answer, or the watch, starts from."),
    "resourceVersionMatch": ("string", "Exact, or NotOlderThan: how to take resourceVersion."),
    "sendInitialEvents": ("boolean", "Whether the watch first tells of all that is there."),
    "sinceSeconds": ("integer", "Only lines that are no older."),
    "sinceTime": ("string", "Only lines that are no older."),
    "tailLines": ("integer", "Only so many lines, the last ones."),
    "timeoutSeconds": ("integer", "When the watch ends."),
    "timestamps": ("boolean", "Whether each line begins with its time."),
    "watch": ("boolean", "Whether to stay and tell of every change."),
}
_CHOOSE = ("fieldSelector", "labelSelector")
_LIST = (
    *("allowWatchBookmarks", "continue", *_CHOOSE, "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_LOG = (
    *("container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime"),
    *("tailLines", "timestamps"),
)


class _Way(NamedTuple):
    """How a verb is asked for: its method, its name in Kubernetes, its words, its query."""

    method: str
    action: str
    words: str
    query: tuple[str, ...] = ()


_WAYS: Mapping[Verb, _Way] = {
    "list": _Way("get", "list", "list or watch objects of the kind", _LIST),
    "create": _Way("post", "post", "create", _WRITE),
    "deletecollection": _Way(
        "delete", "deletecollection", "delete those that are chosen of the kind", _CHOOSE + _DELETE
    ),
    "get": _Way("get", "get", "read the specified"),
    "update": _Way("put", "put", "replace the specified", _WRITE),
    "patch": _Way("patch", "patch", "partially change the specified", (*_WRITE, "force")),
    "delete": _Way("delete", "delete", "delete the specified", _DELETE),
    "log": _Way("get", "connect", "read the log of the specified", _LOG),
}
_ON_COLLECTION: tuple[Verb, ...] = ("list", "create", "deletecollection")
_ON_OBJECT: tuple[Verb, ...] = ("get", "update", "patch", "delete")


def paths_of(info: KindInfo, schemas: Schemas) -> Iterator[tuple[str, Document]]:
    """Yield each path of a kind, with its operations."""
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    verbs = verbs_of(info)
    maker = _Operations(info, schemas)
    where = "/namespaces/{namespace}" if info.namespaced else ""
    if info.namespaced and "list" in verbs:
        everywhere = maker.path(("list",), ())
        everywhere["get"]["operationId"] += "ForAllNamespaces"
        yield f"{root}/{info.plural}", everywhere
    scope = ("namespace",) if info.namespaced else ()
    collection = f"{root}{where}/{info.plural}"
    yield collection, maker.path([verb for verb in _ON_COLLECTION if verb in verbs], scope)
    on_object = [verb for verb in _ON_OBJECT if verb in verbs]
    if on_object:
        yield f"{collection}/{{name}}", maker.path(on_object, (*scope, "name"))
    for name, below in subresources_of(info).items():
        asked: list[Verb] = ["log"] if name == "log" else [v for v in _ON_OBJECT if v in below]
        yield f"{collection}/{{name}}/{name}", maker.path(asked, (*scope, "name"), name)


class _Operations:
    """Makes the operations of one kind."""

    def __init__(self, info: KindInfo, schemas: Schemas) -> None:
        self._info = info
        self._schemas = schemas
        self._group = info.group.partition(".")[0] or "core"

    def path(self, verbs: Any, segments: tuple[str, ...], subresource: str = "") -> Document:
        """Return a path's operations and what stands in its braces."""
        document: Document = {
            _WAYS[verb].method: self._operation(verb, segments, subresource) for verb in verbs
        }
        words = {"name": _NAME, "namespace": _NAMESPACE}
        document["parameters"] = [
            {
                "name": segment,
                "in": "path",
                "description": words[segment],
                "required": True,
                "schema": {"type": "string", "uniqueItems": True},
            }
            for segment in segments
        ] + [_parameter("pretty")]
        return document

    def _operation(self, verb: Verb, segments: tuple[str, ...], subresource: str) -> Document:
        way, info = _WAYS[verb], self._info
        what = f"{subresource} of the specified {info.kind}" if subresource else info.kind
        words = way.words.removesuffix(" the specified") if subresource else way.words
        if verb == "log":
            what = info.kind
        name = way.action if way.action != "get" else "read"
        title = f"{self._group.capitalize()}{info.version.capitalize()}"
        scope = "Namespaced" if "namespace" in segments else ""
        operation: Document = {
            "tags": [f"{self._group}_{info.version}"],
            "description": f"{words} {what}",
            "operationId": f"{name}{title}{scope}{info.kind}{subresource.capitalize()}",
            "parameters": [_parameter(one) for one in way.query],
            "responses": self._responses(verb),
            "x-kubernetes-action": way.action,
            "x-kubernetes-group-version-kind": kind_name(info),
        }
        if body := self._body(verb):
            operation["requestBody"] = body
        return operation

    def _body(self, verb: Verb) -> Document | None:
        match verb:
            case "create" | "update":
                content = dict.fromkeys(body_types(self._info), self._schemas.kind(self._info))
            case "patch":
                patch = self._schemas.refer(f"{META}.Patch", PATCH)
                content = dict.fromkeys(patch_types(self._info), patch)
            case "delete" | "deletecollection":
                options = self._schemas.refer(f"{META}.DeleteOptions", DELETE_OPTIONS)
                content = {"application/json": options}
            case _:
                return None
        is_optional = verb in ("delete", "deletecollection")
        body: Document = {"content": {name: {"schema": one} for name, one in content.items()}}
        return body if is_optional else body | {"required": True}

    def _responses(self, verb: Verb) -> Document:
        code, words = ("201", "Created") if verb == "create" else ("200", "OK")
        schema: Schema
        media_type = "application/json"
        match verb:
            case "log":
                schema, media_type = {"type": "string"}, "text/plain"
            case "list" | "deletecollection":  # which answers with what it has deleted
                schema = self._schemas.list_of(self._info)
            case "delete":  # the object, while something still keeps it
                status = self._schemas.refer(f"{META}.Status", STATUS)
                schema = {"oneOf": [status, self._schemas.kind(self._info)]}
            case _:
                schema = self._schemas.kind(self._info)
        status = self._schemas.refer(f"{META}.Status", STATUS)
        refused = _response("Refused: what was wrong, and where", status)
        return {code: _response(words, schema, media_type), "default": refused}


def _response(words: str, schema: Schema, media_type: str = "application/json") -> Document:
    return {"description": words, "content": {media_type: {"schema": schema}}}


def _parameter(name: str) -> Document:
    kind, words = _WORDS[name]
    return {
        "name": name,
        "in": "query",
        "description": words,
        "schema": {"type": kind, "uniqueItems": True},
    }


def _fields(**fields: tuple[str, str]) -> dict[str, Schema]:
    return {name: {"type": kind, "description": words} for name, (kind, words) in fields.items()}


PATCH: Schema = {
    "type": "object",
    "description": "What is to change: a merge patch, a list of operations, or an apply.",
}

DELETE_OPTIONS: Schema = {
    "type": "object",
    "description": "How to delete.",
    "properties": {
        **_fields(
            apiVersion=("string", "v1, or the version of the object's own API."),
            gracePeriodSeconds=("integer", "How long a replica may take to end."),
            kind=("string", "DeleteOptions."),
            orphanDependents=("boolean", "Older than propagationPolicy: true means Orphan."),
            propagationPolicy=("string", _PROPAGATION),
        ),
        "dryRun": {
            "type": "array",
            "items": {"type": "string"},
            "description": "All: answer as if it were done, and change nothing.",
        },
        "preconditions": {
            "type": "object",
            "description": "Delete nothing else: a conflict when either is another.",
            "properties": _fields(
                resourceVersion=("string", "The version that the object must have."),
                uid=("string", "The uid that the object must have."),
            ),
        },
    },
}

STATUS: Schema = {
    "type": "object",
    "description": "What became of a request that does not answer with an object.",
    "properties": {
        **_fields(
            apiVersion=("string", "v1."),
            code=("integer", "The HTTP status."),
            kind=("string", "Status."),
            message=("string", "The whole of it in a sentence."),
            reason=("string", "One word for programs, such as NotFound."),
            status=("string", "Success or Failure."),
        ),
        "details": {
            "type": "object",
            "description": "Which object it is about, and each field that is wrong.",
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "metadata": {"type": "object", "description": "Nothing."},
    },
}
