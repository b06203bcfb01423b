"""The API against its own OpenAPI documents: requests drawn from them, answers held against them.

Whatever is asked, there is no 5xx; every answer is declared; every object answered is as its schema
says, without a field more. The usual run always asks the same; `make conformance-api` asks more,
other things each time (`KNARY_CONTRACT_EXAMPLES`), and shrinks what it finds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.support.api import Reply
from tests.support.api_thread import BlockingApi, api_in_thread
from tests.support.openapi_schema import Schemas
from tests.support.openapi_values import NAMES, ODD_NAMES, filled, objects, patches, queries

SHORT = 20
EXAMPLES = int(os.environ.get("KNARY_CONTRACT_EXAMPLES", SHORT))
STEPS = 25
PROTOBUF = "application/vnd.kubernetes.protobuf"
METHODS = ("get", "post", "put", "patch", "delete")


class Operation:
    """One thing that a document says can be asked."""

    def __init__(self, path: str, method: str, document: Any) -> None:
        item = document["paths"][path]
        self.path = path
        self.method = method
        self.facts = item[method]
        self.kind = self.facts["x-kubernetes-group-version-kind"]
        self.parameters = [*item["parameters"], *self.facts["parameters"]]
        components = document["components"]["schemas"]
        self.schemas = Schemas(components)
        self.kind_schema = next(
            schema
            for schema in components.values()
            if self.kind in schema.get("x-kubernetes-group-version-kind", ())
        )

    def __repr__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations_of(api: BlockingApi) -> list[Operation]:
    """Return everything that the documents say can be asked."""
    index = api.call("GET", "/openapi/v3").json["paths"]
    found = []
    for entry in index.values():
        document = api.call("GET", entry["serverRelativeURL"]).json
        for path, item in document["paths"].items():
            found += [Operation(path, method, document) for method in METHODS if method in item]
    return found


def flaws_of(operation: Operation, reply: Reply) -> Iterator[str]:
    """Yield how an answer breaks the contract."""
    if reply.code == 500 and b"failed to create typed patch object" in reply.body:
        return  # a real server's answer to an apply of what no schema declares
    if reply.code >= 500:
        yield f"{reply.code}: {reply.body!r}"
        return
    declared = operation.facts["responses"]
    response = declared.get(str(reply.code), declared["default"])
    media_type, content = next(iter(response["content"].items()))
    answered = reply.headers["Content-Type"].partition(";")[0]
    if reply.code == 404 and answered == "text/plain":
        return  # a path that is none: a name with a slash in it
    if answered != media_type:
        yield f"{answered}, not {media_type}"
        return
    if media_type == "application/json":
        yield from operation.schemas.flaws(reply.json, content["schema"])
    if reply.code >= 400:
        status = reply.json
        if status["code"] != reply.code or not status["message"] or not status["reason"]:
            yield f"no whole Status: {status}"


class Contract(RuleBasedStateMachine):
    """Requests in any order, to a server that keeps what it was given."""

    api: BlockingApi
    operations: list[Operation]

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(self.operations))
        names = (
            st.sampled_from(NAMES) if data.draw(st.integers(0, 9)) else st.sampled_from(ODD_NAMES)
        )
        name, choice = data.draw(names), data.draw(st.integers(0, 99))
        # The server outlives an example, so what is drawn must not depend on what is there.
        if choice > 24 and (there := self._names_there(operation)):
            name = there[choice % len(there)]
        namespace = "default" if data.draw(st.integers(0, 9)) else data.draw(names)
        path = filled(operation.path, {"namespace": namespace, "name": name})
        query = data.draw(queries(operation.parameters))
        body, headers = None, {}
        if "requestBody" in operation.facts:
            body, headers = self._body(data, operation, name)
        reply = self.api.call(operation.method.upper(), path + query, body, **headers)
        assert list(flaws_of(operation, reply)) == [], (operation, path)

    @rule(data=st.data())
    def create_something_fit(self, data: st.DataObject) -> None:
        creates = [one for one in self.operations if one.method == "post"]
        operation = data.draw(st.sampled_from(creates))
        name = data.draw(st.sampled_from(NAMES))
        drawn = objects(operation.schemas, operation.kind_schema, operation.kind, name)
        body = json.dumps(data.draw(drawn)).encode()
        path = filled(operation.path, {"namespace": "default"})
        reply = self.api.call("POST", path, body, Content_Type="application/json")
        assert list(flaws_of(operation, reply)) == [], (operation, path)

    @rule(data=st.data())
    def put_back_what_was_read(self, data: st.DataObject) -> None:
        puts = [one for one in self.operations if one.method == "put"]
        operation = data.draw(st.sampled_from(puts))
        name = data.draw(st.sampled_from(NAMES))
        path = filled(operation.path, {"namespace": "default", "name": name})
        read = self.api.call("GET", path)
        if read.code == 404:
            return
        written = self.api.call(
            "PUT", f"{path}?fieldValidation=Strict", read.body, Content_Type="application/json"
        )
        assert list(flaws_of(operation, written)) == []
        assert written.code == 200, written.body
        assert "Warning" not in written.headers or "unknown" not in written.headers["Warning"]

    @rule(data=st.data())
    def patch_what_is_there(self, data: st.DataObject) -> None:
        every = [one for one in self.operations if one.method == "patch"]
        operation, choice = data.draw(st.sampled_from(every)), data.draw(st.integers(0, 99))
        media_type = data.draw(st.sampled_from([*operation.facts["requestBody"]["content"]]))
        drawn = patches(operation.schemas, operation.kind_schema, media_type)
        body = json.dumps(data.draw(drawn)).encode()
        there = self._names_there(operation)
        if there:
            names = {"namespace": "default", "name": there[choice % len(there)]}
            path = filled(operation.path, names) + "?fieldManager=me"
            reply = self.api.call("PATCH", path, body, Content_Type=media_type)
            assert list(flaws_of(operation, reply)) == [], (operation, path)

    def _names_there(self, operation: Operation) -> list[str]:
        """Return the names of what the operation may be done to."""
        collection = operation.path.partition("/{name}")[0]
        if collection == operation.path:
            return []
        listed = self.api.call("GET", filled(collection, {"namespace": "default"}))
        return [one["metadata"]["name"] for one in listed.json.get("items", ())]

    def _body(
        self, data: st.DataObject, operation: Operation, name: str
    ) -> tuple[bytes, dict[str, str]]:
        content = operation.facts["requestBody"]["content"]
        media_type = data.draw(st.sampled_from([*content, *content, "text/plain"]))
        schema = operation.kind_schema
        if operation.method in ("post", "put"):
            drawn = objects(operation.schemas, schema, operation.kind, name)
        elif operation.method == "patch":
            drawn = patches(operation.schemas, schema, media_type)
        else:
            drawn = st.sampled_from([None, {}, {"propagationPolicy": "Orphan"}, {"dryRun": ["x"]}])
        document = data.draw(drawn)
        body = b"" if document is None else json.dumps(document).encode()
        if media_type == PROTOBUF:
            body = b"k8s\0" + data.draw(st.binary(max_size=20))
        elif data.draw(st.integers(0, 19)) == 0:
            body = body[: data.draw(st.integers(0, len(body)))]
        return body, {"Content_Type": media_type}


@pytest.mark.timeout(600)
def test_the_api_keeps_the_contract_that_it_publishes(tmp_path: Path) -> None:
    with api_in_thread(tmp_path) as api:
        bound = type("Bound", (Contract,), {"api": api, "operations": operations_of(api)})
        run_state_machine_as_test(
            bound,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=EXAMPLES == SHORT,
                database=None,
                phases=[Phase.generate] if EXAMPLES == SHORT else [Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
