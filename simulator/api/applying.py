"""Server-side apply: the configuration read, laid over what is stored, and decoded. Pure.

Source: apiserver `endpoints/handlers/patch.go` (`applyPatcher`); apimachinery
`util/managedfields/internal/{versioncheck,structuredmerge}.go`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from simulator.api import bodies
from simulator.api.bodies import Draft
from simulator.api.options import WriteOptions
from simulator.api.paths import Target
from simulator.errors import BadRequest, Conflict
from simulator.fieldownership import tracking
from simulator.fieldownership.objects import document_of, empty_document
from simulator.fieldownership.schema import schema_of
from simulator.fieldownership.tracking import Writer
from simulator.resources.decoding import decoding_warnings, parse_json
from simulator.resources.manifests import YAML_VALUES_MAX, ManifestError, parse_yaml
from simulator.resources.meta import Resource


class Configuration(Struct, frozen=True):
    """What a client applies, and what to warn of."""

    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


def read(body: bytes, options: WriteOptions) -> Configuration:
    """Return the configuration, which is JSON or YAML. Raise BadRequest."""
    problems: tuple[str, ...] = ()
    if body.lstrip()[:1] == b"{":
        document, duplicates = parse_json(body)
        problems = decoding_warnings((), duplicates)
    else:
        document = _yaml(body)
    if not isinstance(document, dict):
        raise BadRequest("error decoding patch: the configuration must be one object")
    if problems and options.is_strict:
        raise BadRequest("error strict decoding patch: " + ", ".join(problems))
    return Configuration(document, problems if options.warns else ())


def applied(
    config: Configuration,
    old: Resource | None,
    target: Target,
    writer: Writer,
    options: WriteOptions,
) -> Draft:
    """Return the object with the configuration applied, and owned. Raise ApiError."""
    document = config.document
    _refuse_unfit(document, target)
    kind = target.info.type
    live = empty_document(kind) if old is None else document_of(old)
    result, entries = tracking.applied(live, document, writer, schema_of(kind), force=options.force)
    # Unknown fields were refused above, those of free-form parts are dropped without a word.
    draft = bodies.read_object(result, (), target.info, WriteOptions(field_validation="Ignore"))
    obj = draft.object.with_metadata(managed_fields=entries)
    if old is None:
        _refuse_preconditions(obj, target)
    return Draft(obj, config.warnings, is_owned=True)


def _yaml(body: bytes) -> Any:
    try:
        documents = parse_yaml(body, "the patch", YAML_VALUES_MAX)
    except ManifestError as error:
        raise BadRequest(f"error decoding patch: {error}") from error
    if len(documents) != 1:
        raise BadRequest(f"error decoding patch: {len(documents)} documents instead of one")
    return documents[0].document


def _refuse_unfit(document: dict[str, Any], target: Target) -> None:
    """Raise BadRequest for another kind, and for entries of ownership, which are the server's."""
    info = target.info
    version, kind = document.get("apiVersion") or "", document.get("kind") or ""
    if (version, kind) != (info.api_version, info.kind):
        group_version = f"/{version}" if "/" not in str(version) else version
        raise BadRequest(f"invalid object type: {group_version}, Kind={kind}")
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")


def _refuse_preconditions(obj: Resource, target: Target) -> None:
    """Raise Conflict when the configuration is for an object that was there once."""
    info, meta = target.info, obj.metadata
    if meta.uid:
        why = f"uid mismatch: the provided object specified uid {meta.uid},"
        why += " and no existing object was found"
        raise Conflict.of(info.group, info.plural, target.name, why)
    if meta.resource_version:
        raise Conflict.of(info.group, info.plural, target.name)
