"""Who am I, what may I: asked as `kubectl auth` asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, run_with_api

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
ACCESS = f"{AUTHORIZATION}/selfsubjectaccessreviews"
RULES = f"{AUTHORIZATION}/selfsubjectrulesreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ASKS_NOTHING = (
    'SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid'
    " value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
)


def review(kind: str, group: str = "authorization.k8s.io", **rest: Any) -> dict[str, Any]:
    return {"apiVersion": f"{group}/v1", "kind": kind, **rest}


@pytest.mark.parametrize(
    "spec",
    [
        {"resourceAttributes": {"verb": "create", "resource": "services", "namespace": "default"}},
        {"resourceAttributes": {"verb": "fly", "group": "nowhere.example", "resource": "unicorns"}},
        {"nonResourceAttributes": {"verb": "get", "path": "/version"}},
        {"resourceAttributes": {}},
    ],
)
def test_the_one_user_may_do_everything_that_there_is_or_is_not(
    tmp_path: Path, spec: dict[str, Any]
) -> None:
    async def scenario(api: Api) -> None:
        asked = review("SelfSubjectAccessReview", spec=spec)
        reply = await api.call("POST", ACCESS, asked)
        assert reply.code == 201
        assert reply.json["status"] == {"allowed": True}
        assert reply.json["kind"] == "SelfSubjectAccessReview"
        dry = await api.call("POST", f"{ACCESS}?dryRun=All", asked)
        assert dry.json == reply.json

    run_with_api(tmp_path, scenario)


def test_a_review_that_asks_nothing_is_invalid(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        nothing = await api.call("POST", ACCESS, review("SelfSubjectAccessReview", spec={}))
        assert nothing.said == (422, "Invalid", ASKS_NOTHING)
        both = {"resourceAttributes": {}, "nonResourceAttributes": {"path": "/"}}
        named = review("SelfSubjectAccessReview", spec=both, metadata={"name": "x"})
        reply = await api.call("POST", ACCESS, named)
        fields = [cause["field"] for cause in reply.json["details"]["causes"]]
        assert fields == ["spec.nonResourceAttributes", "metadata"]
        where = await api.call("POST", RULES, review("SelfSubjectRulesReview", spec={}))
        assert where.said == (400, "BadRequest", "no namespace on request")

    run_with_api(tmp_path, scenario)


def test_rules_and_the_user(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        asked = review("SelfSubjectRulesReview", spec={"namespace": "default"})
        assert (await api.call("POST", RULES, asked)).json["status"] == {
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
        who = await api.call("POST", SELF, review("SelfSubjectReview", "authentication.k8s.io"))
        assert who.json["status"]["userInfo"] == {
            "username": "knary-admin",
            "groups": ["system:masters", "system:authenticated"],
        }
        assert who.json["metadata"]["creationTimestamp"]

    run_with_api(tmp_path, scenario)


def test_nothing_of_a_review_is_kept(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        version = api.store.version
        await api.call("POST", SELF, {})
        assert api.store.version == version
        for path in (ACCESS, RULES, SELF):
            for method in ("GET", "DELETE", "PUT", "PATCH"):
                assert (await api.call(method, path, {})).said[0] == 405
            assert (await api.call("GET", f"{path}/x")).code == 405
        assert (await api.call("GET", f"{SELF}/x/status")).code == 404

    run_with_api(tmp_path, scenario)
