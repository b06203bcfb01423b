"""One OpenAPI v3 document per group and version, the index of them, and what stands for v2.

Each is made when it is first asked for, and kept: there are as many as `group_versions`.
Source: kube-openapi `handler3/handler.go` (index, hashes, caching), `handler/handler.go` (v2).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from simulator.api.discovery import group_versions, kinds_of
from simulator.api.exchange import Answer, Header
from simulator.api.negotiation import chosen_offer, offers_of
from simulator.api.queries import Query
from simulator.errors import NotAcceptable

_INDEX = "/openapi/v3"
_V2 = "/openapi/v2"
# Asked for with an @, which is no letter of a media type: kubectl could not read it in an answer.
_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_V2_TYPES = (_V2_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
_YEAR_S = 365 * 24 * 3600


class OpenApi:
    """Answers below /openapi. `knary_version` is what the documents say of themselves."""

    def __init__(self, knary_version: str) -> None:
        self._version = knary_version
        self._made: dict[tuple[str, str], bytes] = {}
        self._hashes: dict[tuple[str, str], str] = {}

    def answer(self, path: str, query: Query, accept: str) -> Answer | None:
        """Return the index or a document, None for another path. Raise NotAcceptable."""
        if path == _V2:
            return _nothing_in_v2(accept)
        if path in (_INDEX, f"{_INDEX}/"):
            chosen_offer(accept, lambda _: False)
            return Answer(200, msgspec.json.encode({"paths": self._index()}), etag=True)
        for group, version in group_versions():
            if path == f"{_INDEX}/{_place(group, version)}":
                chosen_offer(accept, lambda _: False)
                return self._group_version(group, version, query.text("hash"))
        return None

    def document(self, group: str, version: str) -> bytes:
        """Return the document of a group's version as JSON."""
        key = group, version
        if key not in self._made:
            self._made[key] = msgspec.json.encode(_document(group, version, self._version))
        return self._made[key]

    def _hash(self, group: str, version: str) -> str:
        key = group, version
        if key not in self._hashes:
            digest = hashlib.sha512(self.document(group, version)).hexdigest()
            self._hashes[key] = digest.upper()
        return self._hashes[key]

    def _url(self, group: str, version: str) -> str:
        return f"{_INDEX}/{_place(group, version)}?hash={self._hash(group, version)}"

    def _index(self) -> dict[str, Any]:
        return {
            _place(group, version): {"serverRelativeURL": self._url(group, version)}
            for group, version in sorted(group_versions())
        }

    def _group_version(self, group: str, version: str, wanted: str) -> Answer:
        if wanted and wanted != self._hash(group, version):
            # What a client has kept is of another knary: here is the new one.
            return Answer(301, b"", headers=(("Location", self._url(group, version)),))
        lasting: tuple[Header, ...] = (
            (("Cache-Control", f"public, immutable, max-age={_YEAR_S}"),) if wanted else ()
        )
        return Answer(200, self.document(group, version), headers=lasting, etag=True)


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _nothing_in_v2(accept: str) -> Answer:
    """Return an empty document: kubectl up to 1.29 insists on one, and then asks for v3."""
    if any(offer.media_type in _V2_TYPES for offer in offers_of(accept)):
        return Answer(200, b"", _V2_TYPE)
    raise NotAcceptable(
        f"only the following media types are accepted: {_V2_TYPE}; for JSON ask {_INDEX}"
    )


def _document(group: str, version: str, knary_version: str) -> dict[str, Any]:
    # Here, as hundreds of sentences need not be read before the first question.
    from simulator.api.openapi.operations import paths_of
    from simulator.api.openapi.schemas import Schemas
    from simulator.api.openapi.words.everything import MEANINGS

    kinds = kinds_of(group, version)
    schemas = Schemas(MEANINGS, is_knatives=any(info.is_custom for info in kinds))
    paths: dict[str, Any] = {}
    for info in kinds:
        paths.update(paths_of(info, schemas))
    return {
        "openapi": "3.0.0",
        "info": {"title": "knary", "version": knary_version},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "BearerToken": {
                    "type": "apiKey",
                    "description": "The token of the instance's kubeconfig, after Bearer.",
                    "name": "authorization",
                    "in": "header",
                }
            },
        },
        "security": [{"BearerToken": []}],
    }
