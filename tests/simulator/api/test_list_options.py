"""Which options of a list and a watch go together: apimachinery's validation, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import SERVICES, Api, run_with_api

_UNSUPPORTED = "Unsupported value: {}: supported values: "
_NEEDS_VERSION = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
_NO_CONTINUE = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
_NO_EXACT_0 = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
_NEEDS_MATCH = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
_NEEDS_INITIAL = (
    "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
)
_MATCH = "resourceVersionMatch"


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        pytest.param(f"{_MATCH}=Exact", [_NEEDS_VERSION], id="no version"),
        pytest.param(f"{_MATCH}=Exact&resourceVersion=0", [_NO_EXACT_0], id="exactly any"),
        pytest.param(
            f"{_MATCH}=NotOlderThan&resourceVersion=1&continue=x", [_NO_CONTINUE], id="a page"
        ),
        pytest.param(
            f"{_MATCH}=Sometime&resourceVersion=1",
            [_UNSUPPORTED.format('"Sometime"') + '"Exact", "NotOlderThan", ""'],
            id="no such match",
        ),
        pytest.param(
            "sendInitialEvents=true",
            ["Forbidden: sendInitialEvents is forbidden for list"],
            id="initial events of a list",
        ),
        pytest.param(
            f"{_MATCH}=exact",
            [_NEEDS_VERSION, _UNSUPPORTED.format('"exact"') + '"Exact", "NotOlderThan", ""'],
            id="two mistakes",
        ),
        pytest.param("watch=1&sendInitialEvents=true", [_NEEDS_MATCH], id="initial without match"),
        pytest.param("watch=1&sendInitialEvents=false", [_NEEDS_MATCH], id="none without match"),
        pytest.param(
            f"watch=1&resourceVersion=1&{_MATCH}=NotOlderThan",
            [_NEEDS_INITIAL],
            id="match without initial",
        ),
        pytest.param(
            f"watch=1&sendInitialEvents=1&{_MATCH}=Exact",
            [_NEEDS_MATCH, _UNSUPPORTED.format('"Exact"') + '"NotOlderThan"'],
            id="exact watch",
        ),
        pytest.param(
            f"watch=1&sendInitialEvents=1&{_MATCH}=NotOlderThan&continue=x",
            [_NO_CONTINUE],
            id="a watch of a page",
        ),
    ],
)
def test_options_that_do_not_go_together_are_invalid(
    tmp_path: Path, query: str, causes: list[str]
) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("GET", f"{SERVICES}?{query}")
        code, reason, message = reply.said
        assert (code, reason) == (422, "Invalid")
        assert [cause["message"] for cause in reply.json["details"]["causes"]] == causes
        fields = [cause["field"] for cause in reply.json["details"]["causes"]]
        told = [f"{field}: {cause}" for field, cause in zip(fields, causes, strict=True)]
        whole = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        assert message == f'ListOptions.meta.k8s.io "" is invalid: {whole}'

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    "query",
    [
        "resourceVersion=0",
        "resourceVersion=1",
        f"resourceVersion=0&{_MATCH}=NotOlderThan",
        f"resourceVersion=1&{_MATCH}=Exact",
        "allowWatchBookmarks=true",
        "limit=0",
        "limit=-1",
        "timeoutSeconds=5",
    ],
)
def test_options_that_do_are_answered(tmp_path: Path, query: str) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("GET", f"{SERVICES}?{query}")).code == 200

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("path", [SERVICES, f"{SERVICES}/x"])
def test_a_version_that_is_yet_to_come_is_a_timeout(tmp_path: Path, path: str) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("GET", f"{path}?resourceVersion=99")
        assert reply.said == (504, "Timeout", "Timeout: Too large resource version: 99, current: 1")
        assert reply.json["details"] == {
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        }

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        (SERVICES, "spec.x=1", "field label not supported: spec.x"),
        (SERVICES, "status.phase=Running", "field label not supported: status.phase"),
        (
            "/api/v1/configmaps",
            "data.x=1",
            '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("/api/v1/pods", "spec.x=1", "field label not supported: spec.x"),
        (
            "/apis/networking.internal.knative.dev/v1alpha1/clusterdomainclaims",
            "metadata.namespace=x",
            "field label not supported: metadata.namespace",
        ),
        (SERVICES, "metadata.name", "invalid selector: 'metadata.name'; can't understand "),
    ],
)
@pytest.mark.parametrize("watch", ["", "&watch=true"])
def test_what_no_selector_may_ask_for_is_a_bad_request(
    tmp_path: Path, path: str, field: str, message: str, watch: str
) -> None:
    async def scenario(api: Api) -> None:
        asked = field.replace("=", "%3D")
        code, reason, said = (await api.call("GET", f"{path}?fieldSelector={asked}{watch}")).said
        assert (code, reason) == (400, "BadRequest")
        assert said.startswith(message)

    run_with_api(tmp_path, scenario)
