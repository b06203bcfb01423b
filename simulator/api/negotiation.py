"""What form of answer a client accepts. Pure.

Sources: apiserver `endpoints/handlers/negotiation` and `endpoints/handlers/response.go`; RFC
9110, 12.5.1 for Accept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from msgspec import Struct

from simulator.errors import NotAcceptable

FormName = Literal["json", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]

_META_GROUP = "meta.k8s.io"
_META_VERSIONS = ("v1", "v1beta1")
_TRANSFORMED: tuple[FormName, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_OFFERS_MAX = 32
_OURS = ("application/json", "application/*", "*/*")


class Offer(NamedTuple):
    """One form that a client accepts: a media type and its parameters."""

    media_type: str
    named: dict[str, str]

    @property
    def quality(self) -> float:
        try:
            return float(self.named.get("q", "1"))
        except ValueError:
            return 0.0


JSON_OFFER = Offer("application/json", {})


def offers_of(accept: str) -> list[Offer]:
    """Return what the Accept header offers, the best first; nothing at all means JSON."""
    offers = []
    for text in accept.split(",")[:_OFFERS_MAX]:
        media_type, *parameters = (part.strip() for part in text.split(";"))
        if media_type:
            named = dict(parameter.partition("=")[::2] for parameter in parameters)
            offers.append(Offer(media_type.lower(), named))
    if not offers and not accept.strip():
        return [JSON_OFFER]
    # Stable: of offers that are as good as each other the first one counts.
    return sorted((one for one in offers if one.quality > 0), key=lambda one: -one.quality)


def chosen_offer(accept: str, is_served: Callable[[Offer], bool]) -> Offer:
    """Return the best offer of plain JSON, or of JSON `as` something that `is_served`.

    Raise NotAcceptable.
    """
    for offer in offers_of(accept):
        if offer.media_type in _OURS and (not offer.named.get("as") or is_served(offer)):
            return offer
    raise NotAcceptable("only the following media types are accepted: application/json")


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
    """Return the best form in the Accept header that is served. Raise NotAcceptable."""
    named = chosen_offer(accept, _is_view).named
    for name in _TRANSFORMED:
        if named.get("as") == name:
            return Form(name, named["v"])
    return JSON_FORM


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


def _is_view(offer: Offer) -> bool:
    named = offer.named
    is_known = named.get("as") in _TRANSFORMED and named.get("v") in _META_VERSIONS
    return is_known and named.get("g") == _META_GROUP
