"""Server-side apply over HTTPS: whose the fields are from the first apply on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.api import SERVICES, Api, manifest, run_with_api

HELLO = f"{SERVICES}/hello"
APPLY = {"Content-Type": "application/apply-patch+yaml"}


def managers(obj: Any) -> set[tuple[str, str]]:
    return {(one["manager"], one["operation"]) for one in obj["metadata"]["managedFields"]}


def test_an_apply_that_makes_an_object_owns_what_it_says(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await api.call("PATCH", f"{HELLO}?fieldManager=me", manifest(), **APPLY)
        assert made.code == 201
        assert managers(made.json) == {("me", "Apply")}
        again = await api.call("PATCH", f"{HELLO}?fieldManager=me", manifest(), **APPLY)
        assert (again.code, again.json) == (200, made.json)
        other = manifest(image="app:2")
        refused = await api.call("PATCH", f"{HELLO}?fieldManager=you", other, **APPLY)
        assert refused.said == (
            409,
            "Conflict",
            'Apply failed with 1 conflict: conflict with "me": .spec.template.spec.containers',
        )
        forced = await api.call("PATCH", f"{HELLO}?fieldManager=you&force=true", other, **APPLY)
        assert managers(forced.json) == {("you", "Apply")}  # nothing is left to the first
        assert forced.json["metadata"]["generation"] == 2

    run_with_api(tmp_path, scenario)
