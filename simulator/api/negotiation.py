"""What form of answer a client accepts. Pure.

Source: apiserver `endpoints/handlers/negotiation` and `endpoints/handlers/response.go`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from simulator.errors import NotAcceptable

FormName = Literal["json", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]

_META_GROUP = "meta.k8s.io"
_META_VERSIONS = ("v1", "v1beta1")
_TRANSFORMED: tuple[FormName, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_OFFERS_MAX = 32


class Form(Struct, frozen=True):
    """Plain JSON, or one of meta.k8s.io's views of it in one of that group's versions."""

    name: FormName = "json"
    version: str = ""

    @property
    def api_version(self) -> str:
        """Return the apiVersion of the view."""
        return f"{_META_GROUP}/{self.version}"


JSON_FORM = Form()


def form_of(accept: str) -> Form:
    """Return the first form in the Accept header that is served. Raise NotAcceptable."""
    if not accept.strip():
        return JSON_FORM
    for offer in accept.split(",")[:_OFFERS_MAX]:
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        if media_type.lower() not in ("application/json", "application/*", "*/*"):
            continue
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        if named.get("q") in ("0", "0.0"):
            continue
        wanted = named.get("as", "")
        if not wanted:
            return JSON_FORM
        if named.get("g") != _META_GROUP or named.get("v") not in _META_VERSIONS:
            continue
        for name in _TRANSFORMED:
            if wanted == name:
                return Form(name, named["v"])
    raise NotAcceptable("only the following media types are accepted: application/json")


def form_of_object(accept: str, kind: str) -> Form:
    """Return the form of one object, or of a watch's events. Raise NotAcceptable."""
    form = form_of(accept)
    if form.name == "PartialObjectMetadataList":
        raise NotAcceptable(
            f"you requested {form.name}, but the requested object is not a list ({kind})"
        )
    return form


def form_of_list(accept: str, kind: str) -> Form:
    """Return the form of a list. Raise NotAcceptable."""
    form = form_of(accept)
    if form.name == "PartialObjectMetadata":
        raise NotAcceptable(
            f"you requested {form.name}, but the requested object is a list ({kind}List)"
        )
    return form
