"""caching.internal.knative.dev/v1alpha1 Image: an image that a revision runs, by its digest.

Knative makes one per container of a revision, for nodes to fetch ahead. Here it also keeps which
program the digest stands for, so that what a revision runs never changes under it.
Source: knative/caching `pkg/apis/caching/v1alpha1/image_types.go`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct, field

from simulator.resources.conditions import Condition
from simulator.resources.meta import Resource

GROUP = "caching.internal.knative.dev"
VERSION = f"{GROUP}/v1alpha1"

ANNOTATION_REFERENCE = "knary.dev/reference"  # what the manifest said, when it was no digest
ANNOTATION_PROGRAM = "knary.dev/program"  # an images.Program, as JSON


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an Image: absent fields stay absent when it is written."""


class ImageSpec(_Part, frozen=True):
    image: str = ""
    service_account_name: str = ""
    image_pull_secrets: tuple[dict[str, Any], ...] = ()


class ImageStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()


class Image(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Image"

    spec: ImageSpec = field(default_factory=ImageSpec)
    status: ImageStatus = field(default_factory=ImageStatus)
