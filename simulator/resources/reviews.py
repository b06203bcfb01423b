"""Questions that are answered and not stored: may I, what may I, who am I.

Sources: kubernetes/api `authorization/v1/types.go`, `authentication/v1/types.go`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct, field

from simulator.resources.meta import Resource

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of a review: absent fields stay absent when it is written."""


class ResourceAttributes(_Part, frozen=True):
    """What would be done to which resource; "" is any."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    field_selector: dict[str, Any] | None = None
    label_selector: dict[str, Any] | None = None


class NonResourceAttributes(_Part, frozen=True):
    path: str = ""
    verb: str = ""


class AccessReviewSpec(_Part, frozen=True):
    """Exactly one of the two."""

    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class AccessReviewStatus(_Part, frozen=True):
    # Without a default in the wire's sense: clients require it, so False is written too.
    allowed: bool = field(default_factory=bool)
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SelfSubjectAccessReview(Resource, frozen=True):
    """May the one who asks do this?"""

    API_VERSION: ClassVar[str] = f"{AUTHORIZATION}/v1"
    KIND: ClassVar[str] = "SelfSubjectAccessReview"

    spec: AccessReviewSpec = field(default_factory=AccessReviewSpec)
    status: AccessReviewStatus = field(default_factory=AccessReviewStatus)


class ResourceRule(_Part, frozen=True):
    """Verbs on resources; "*" is all."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class NonResourceRule(_Part, frozen=True):
    verbs: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = field(default=(), name="nonResourceURLs")


class RulesReviewSpec(_Part, frozen=True):
    namespace: str = ""


class RulesReviewStatus(Struct, frozen=True, rename="camel", gc=False):
    """Written whole: Kubernetes clients require all but evaluationError."""

    resource_rules: tuple[ResourceRule, ...] = ()
    non_resource_rules: tuple[NonResourceRule, ...] = ()
    incomplete: bool = False


class SelfSubjectRulesReview(Resource, frozen=True):
    """What may the one who asks do in a namespace?"""

    API_VERSION: ClassVar[str] = f"{AUTHORIZATION}/v1"
    KIND: ClassVar[str] = "SelfSubjectRulesReview"

    spec: RulesReviewSpec = field(default_factory=RulesReviewSpec)
    status: RulesReviewStatus = field(default_factory=RulesReviewStatus)


class UserInfo(_Part, frozen=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)


class SelfReviewStatus(_Part, frozen=True):
    user_info: UserInfo = field(default_factory=UserInfo)


class SelfSubjectReview(Resource, frozen=True):
    """Who is the one who asks?"""

    API_VERSION: ClassVar[str] = f"{AUTHENTICATION}/v1"
    KIND: ClassVar[str] = "SelfSubjectReview"

    status: SelfReviewStatus = field(default_factory=SelfReviewStatus)
