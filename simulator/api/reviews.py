"""Answers to who asks and what they may do: the one user may do everything.

Sources: kubernetes `pkg/apis/authorization/validation`, `pkg/registry/authorization`,
`pkg/registry/authentication/selfsubjectreview`; apiserver `authorizerfactory` (the group
system:masters is allowed everything, whether it exists or not, and no reason is given).
"""

from __future__ import annotations

import msgspec

from simulator.api import bodies, documents
from simulator.api.exchange import Answer, Request
from simulator.api.options import write_options
from simulator.clock import Clock
from simulator.errors import BadRequest, Invalid
from simulator.resources.meta import ObjectMeta, Resource, timestamp
from simulator.resources.reviews import (
    AUTHORIZATION,
    AccessReviewSpec,
    AccessReviewStatus,
    NonResourceRule,
    ResourceRule,
    RulesReviewStatus,
    SelfReviewStatus,
    SelfSubjectAccessReview,
    SelfSubjectReview,
    SelfSubjectRulesReview,
    UserInfo,
)

GROUPS = ("system:masters", "system:authenticated")
_EVERYTHING = ("*",)


class Reviews:
    """Creates that store nothing: a question comes, and goes back with its answer."""

    def __init__(self, clock: Clock, user: str) -> None:
        self._clock = clock
        self._user = user

    async def create(self, request: Request) -> Answer:
        """Answer a review: 201. Raise ApiError."""
        options = write_options(request, "CreateOptions")
        document, duplicates = bodies.document_of(request)
        draft = bodies.read_object(document, duplicates, request.target.info, options)
        review = answered(draft.object, self._user, timestamp(self._clock.now()))
        return Answer(201, documents.object_json(review), warnings=draft.warnings)


def answered(review: Resource, user: str, now: str) -> Resource:
    """Return the review with its status. Raise Invalid or BadRequest when it asks nothing."""
    match review:
        case SelfSubjectAccessReview():
            _require_question(review)
            status = AccessReviewStatus(allowed=True)
            return msgspec.structs.replace(review, status=status, metadata=ObjectMeta())
        case SelfSubjectRulesReview():
            if not review.spec.namespace:
                raise BadRequest("no namespace on request")
            rules = RulesReviewStatus(
                resource_rules=(ResourceRule(_EVERYTHING, _EVERYTHING, _EVERYTHING),),
                non_resource_rules=(NonResourceRule(_EVERYTHING, _EVERYTHING),),
            )
            return msgspec.structs.replace(review, status=rules, metadata=ObjectMeta())
        case SelfSubjectReview():
            who = SelfReviewStatus(UserInfo(username=user, groups=GROUPS))
            return msgspec.structs.replace(
                review, status=who, metadata=ObjectMeta(creation_timestamp=now)
            )
        case _:
            raise AssertionError(review.KIND)


def _require_question(review: SelfSubjectAccessReview) -> None:
    causes = []
    both = (review.spec.resource_attributes, review.spec.non_resource_attributes)
    if None not in both:
        why = "cannot be specified in combination with resourceAttributes"
        causes.append(_cause("spec.nonResourceAttributes", review.spec, why))
    if both == (None, None):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(_cause("spec.resourceAttributes", None, why))
    if msgspec.structs.replace(review.metadata, managed_fields=()) != ObjectMeta():
        causes.append(_cause("metadata", review.metadata, "must be empty"))
    if causes:
        raise Invalid.of(AUTHORIZATION, review.KIND, "", causes)


def _cause(
    field: str, value: AccessReviewSpec | ObjectMeta | None, why: str
) -> tuple[str, str, str]:
    shown = "null" if value is None else msgspec.json.encode(value).decode()
    return field, "FieldValueInvalid", f"Invalid value: {shown}: {why}"
