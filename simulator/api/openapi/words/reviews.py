"""authorization.k8s.io and authentication.k8s.io: questions that are answered and not stored."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import reviews

_QUESTION, _ANSWER = "The question.", "The answer."

REVIEWS: Meanings = {
    reviews.SelfSubjectAccessReview: Meaning(
        "May the one who asks do this? Here whoever has the token may do everything.",
        {"spec": _QUESTION, "status": _ANSWER},
    ),
    reviews.AccessReviewSpec: Meaning(
        "What would be done: one of the two.",
        {
            "resourceAttributes": "Something with objects of the API.",
            "nonResourceAttributes": "Something with another path, such as /version.",
        },
    ),
    reviews.ResourceAttributes: Meaning(
        "What would be done to which objects.",
        {
            "namespace": "The namespace; empty is all, or none for kinds without.",
            "verb": "What would be done, such as get or create; * is all.",
            "group": "The group of the API; * is all.",
            "version": "The version of the API; * is all.",
            "resource": "The resource, such as services; * is all.",
            "subresource": "The subresource, such as status.",
            "name": "The object; empty is all.",
            "fieldSelector": "Only objects with such fields.",
            "labelSelector": "Only objects with such labels.",
        },
    ),
    reviews.NonResourceAttributes: Meaning(
        "What would be done where.",
        {"path": "The path.", "verb": "What would be done there, such as get."},
    ),
    reviews.AccessReviewStatus: Meaning(
        "Whether it is allowed.",
        {
            "allowed": "Whether it is allowed.",
            "denied": "Whether it is forbidden for good, whatever else might allow it.",
            "reason": "Why.",
            "evaluationError": "What went wrong while it was looked up.",
        },
    ),
    reviews.SelfSubjectRulesReview: Meaning(
        "What may the one who asks do in a namespace?", {"spec": _QUESTION, "status": _ANSWER}
    ),
    reviews.RulesReviewSpec: Meaning("Where.", {"namespace": "The namespace asked about."}),
    reviews.RulesReviewStatus: Meaning(
        "What is allowed.",
        {
            "resourceRules": "What may be done with objects.",
            "nonResourceRules": "What may be done elsewhere.",
            "incomplete": "Whether there may be more.",
        },
    ),
    reviews.ResourceRule: Meaning(
        "Verbs that are allowed on resources; * is all.",
        {
            "verbs": "The verbs.",
            "apiGroups": "The groups.",
            "resources": "The resources.",
            "resourceNames": "The objects; all when left out.",
        },
    ),
    reviews.NonResourceRule: Meaning(
        "Verbs that are allowed on paths; * is all.",
        {"verbs": "The verbs.", "nonResourceURLs": "The paths."},
    ),
    reviews.SelfSubjectReview: Meaning("Who is the one who asks?", {"status": _ANSWER}),
    reviews.SelfReviewStatus: Meaning("The answer.", {"userInfo": "Who asks."}),
    reviews.UserInfo: Meaning(
        "A user.",
        {
            "username": "The user's name.",
            "uid": "A name that is not used again.",
            "groups": "The groups that the user is in.",
            "extra": "Further facts.",
        },
    ),
}
