"""Kubernetes' protobuf against Google's library, cut everywhere, and made of anything."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.api.protobuf.envelope import read_protobuf
from simulator.api.protobuf.kinds import MESSAGES
from simulator.api.protobuf.messages import Field, Message, document_of
from simulator.api.protobuf.metadata import DELETE_OPTIONS
from simulator.api.protobuf.wire import FIELDS_MAX, Budget, Malformed, fields_of
from simulator.errors import BadRequest
from tests.support.googleprotobuf import Writer

TABLES = [*MESSAGES.values(), DELETE_OPTIONS]
NO_PREFIX = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = st.text(max_size=8)
MOMENTS = st.integers(0, 2**33).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": WORDS,
    "bytes": st.binary(max_size=8).map(lambda data: base64.b64encode(data).decode()),
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "time": MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "micro time": MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    "quantity": st.sampled_from(["500m", "1", "64Mi"]),
    "int or string": st.integers(0, 65535) | st.sampled_from(["http", "25%"]),
    "fields": st.sampled_from([{}, {"f:data": {".": {}}}]),
}


@st.composite
def documents(draw: st.DrawFn, message: Message) -> dict[str, Any]:
    """Return a document of the table, as JSON would have it: no zero that Go leaves out."""
    document: dict[str, Any] = {}
    for field in message.fields.values():
        if not field.name:
            assert isinstance(field.type, Message)
            document.update(draw(documents(field.type)))
        elif draw(st.integers(0, 3)) == 0:
            value = draw(values(field))
            if field.form == "one" and not field.keeps_zero and value in ("", False, 0):
                continue
            if value or field.form == "one":
                document[field.name] = value
    return document


def values(field: Field) -> st.SearchStrategy[Any]:
    one = documents(field.type) if isinstance(field.type, Message) else VALUES[field.type]
    match field.form:
        case "many":
            return st.lists(one, max_size=2)
        case "map":
            return st.dictionaries(WORDS, one, max_size=2)
        case _:
            return one


def wrapped(api_version: str, kind: str, raw: bytes) -> bytes:
    """Return a body as kubectl sends it (RECORDED has some)."""
    type_meta = delimited(1, api_version.encode()) + delimited(2, kind.encode())
    return b"k8s\0" + delimited(1, type_meta) + delimited(2, raw) + b"\x1a\0\x22\0"


def delimited(number: int, data: bytes) -> bytes:
    length = len(data)
    size = bytearray()
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes([*size, length]) + data


@pytest.mark.parametrize("message", TABLES, ids=lambda message: message.name)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_what_googles_library_writes_is_read(message: Message, data: st.DataObject) -> None:
    document = data.draw(documents(message))
    assert document_of(message, Writer(message).write(document), Budget()) == document


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_body_cut_anywhere_is_refused_or_shorter(data: st.DataObject) -> None:
    (api_version, kind), message = data.draw(st.sampled_from(list(MESSAGES.items())))
    document = data.draw(documents(message))
    body = wrapped(api_version, kind, Writer(message).write(document))
    whole = read_protobuf(body, api_version, kind)
    assert whole == {"apiVersion": api_version, "kind": kind, **document}
    for cut in range(len(body)):
        refused = refusal(body[:cut], (api_version, kind))
        assert refused is None or f"cannot be handled as a {kind}: " in refused


@given(st.sampled_from(list(MESSAGES)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: tuple[str, str], data: bytes) -> None:
    for body in (data, b"k8s\0" + data, wrapped(*name, data)):
        assert refusal(body, name) != ""


def refusal(body: bytes, name: tuple[str, str]) -> str | None:
    """Return why the body is refused, None when it is read."""
    try:
        read_protobuf(body, *name)
    except BadRequest as error:
        return error.message
    return None


# What kubectl 1.36 sends for the command that each is named after.
RECORDED = [
    pytest.param(
        ("v1", "Namespace"),
        (
            "6b3873000a0f0a02763112094e616d657370616365121b0a130a03666f6f12001a0022002a00"
            "32003800420012001a020a001a002200"
        ),
        {"metadata": {"name": "foo"}, "spec": {}, "status": {}},
        id="create namespace foo",
    ),
    pytest.param(
        ("v1", "ConfigMap"),
        (
            "6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a016312001a0022002a003200"
            "3800420012060a01611201621a002200"
        ),
        {"metadata": {"name": "c"}, "data": {"a": "b"}},
        id="create configmap c --from-literal=a=b",
    ),
    pytest.param(
        ("v1", "Secret"),
        (
            "6b3873000a0c0a0276311206536563726574121d0a110a017312001a0022002a003200380042"
            "0012060a01611201621a001a002200"
        ),
        {"metadata": {"name": "s"}, "data": {"a": "Yg=="}},
        id="create secret generic s --from-literal=a=b",
    ),
    pytest.param(
        ("v1", "ServiceAccount"),
        (
            "6b3873000a140a027631120e536572766963654163636f756e7412130a110a017812001a0022"
            "002a003200380042001a002200"
        ),
        {"metadata": {"name": "x"}},
        id="create serviceaccount x",
    ),
    pytest.param(
        ("v1", "Service"),
        (
            "6b3873000a0d0a027631120753657276696365126c0a1f0a0373766312001a0022002a003200"
            "380042005a0a0a03617070120373766312450a1e0a0738302d6874747012035443501850220a"
            "080110001a04687474702800120a0a0361707012037376631a002209436c757374657249503a"
            "00420052005a00600068001a020a001a002200"
        ),
        {
            "metadata": {"name": "svc", "labels": {"app": "svc"}},
            "spec": {
                "ports": [{"name": "80-http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
                "selector": {"app": "svc"},
                "type": "ClusterIP",
            },
            "status": {"loadBalancer": {}},
        },
        id="create service clusterip svc --tcp=80:http",
    ),
    pytest.param(
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
        (
            "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c6653"
            "75626a656374416363657373526576696577123f0a100a0012001a0022002a00320038004200"
            "12210a1f0a0764656661756c7412066372656174651a0022002a04706f647332003a001a0808"
            "0012001a0020001a002200"
        ),
        {
            "metadata": {},
            "spec": {
                "resourceAttributes": {
                    "namespace": "default",
                    "verb": "create",
                    "resource": "pods",
                }
            },
        },
        id="auth can-i create pods",
    ),
    pytest.param(
        ("apps/v1", "Deployment"),
        (
            "6b3873000a150a07617070732f7631120a4465706c6f796d656e74129b010a1b0a016412001a"
            "0022002a003200380042005a080a03617070120164126e0802120a0a080a036170701201641a"
            "560a1a0a0012001a0022002a003200380042005a080a036170701201641238121a0a01781201"
            "782a0042006a007200800100880100900100a201001a00320042004a00520058006000680082"
            "01008a01009a0100c2010022020a00280038001a0c0800100018002000280038001a002200"
        ),
        {
            "metadata": {"name": "d", "labels": {"app": "d"}},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "d"}},
                "template": {
                    "metadata": {"labels": {"app": "d"}},
                    "spec": {"containers": [{"name": "x", "image": "x", "resources": {}}]},
                },
                "strategy": {},
            },
        },
        id="create deployment d --image=x --replicas=2",
    ),
]


@pytest.mark.parametrize(("name", "body", "document"), RECORDED)
def test_what_kubectl_sends_is_read(
    name: tuple[str, str], body: str, document: dict[str, Any]
) -> None:
    read = read_protobuf(bytes.fromhex(body), *name)
    assert read == {"apiVersion": name[0], "kind": name[1], **document}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "empty data", id="nothing"),
        pytest.param(b"k8s\0", "empty body", id="the prefix alone"),
        pytest.param(
            b'{"kind":"Namespace"}',
            NO_PREFIX,
            id="JSON",
        ),
        pytest.param(b"k8s\0\x12\x05ab", "unexpected EOF", id="a length beyond the end"),
        pytest.param(b"k8s\0\x12", "unexpected EOF", id="no length"),
        pytest.param(b"k8s\0" + b"\xff" * 11, "proto: integer overflow", id="an endless varint"),
        pytest.param(b"k8s\0\x13", "proto: illegal wireType 3", id="a group"),
        pytest.param(b"k8s\0\x02\0", "proto: illegal tag 0 (wire type 2)", id="field 0"),
        pytest.param(b"k8s\0\x10\x01", "proto: wrong wireType = 0 for field Raw", id="no bytes"),
        pytest.param(
            wrapped("v1", "Namespace", delimited(1, delimited(1, b"\xff"))),
            "proto: a string is not UTF-8",
            id="not UTF-8",
        ),
        pytest.param(
            wrapped("v1", "Namespace", delimited(1, delimited(8, b"\x08" + b"\xff" * 9 + b"\x01"))),
            None,
            id="a moment before the epoch",
        ),
        pytest.param(
            wrapped("v1", "Namespace", delimited(1, delimited(8, b"\x08" + b"\xff" * 8 + b"\x7f"))),
            "proto: a time is out of range",
            id="a moment beyond all years",
        ),
        pytest.param(
            wrapped("v1", "Namespace", b"\x78\x01" * (FIELDS_MAX + 1)),
            "proto: the body has too many fields",
            id="more fields than any object has",
        ),
        pytest.param(
            wrapped("v1", "Namespace", delimited(1, delimited(8, b"\x78\x01" * FIELDS_MAX))),
            "proto: the body has too many fields",
            id="more fields than any object has, further down",
        ),
        pytest.param(
            wrapped("batch/v1", "Job", b""),
            'no kind "Job" is registered for version "batch/v1" in protobuf',
            id="a kind that is not there",
        ),
    ],
)
def test_what_is_malformed_is_said(body: bytes, why: str | None) -> None:
    if why is None:
        read_protobuf(body, "v1", "Namespace")
        return
    with pytest.raises(BadRequest) as refused:
        read_protobuf(body, "v1", "Namespace")
    assert refused.value.message == (
        f'Namespace in version "v1" cannot be handled as a Namespace: {why}'
    )


def test_a_message_in_pieces_is_one_and_the_last_value_counts() -> None:
    pieces = delimited(1, delimited(1, b"a")) + delimited(1, delimited(3, b"b"))
    pieces += delimited(1, delimited(1, b"c"))
    found = document_of(MESSAGES["v1", "ConfigMap"], pieces, Budget())
    assert found == {"metadata": {"name": "c", "namespace": "b"}}


@pytest.mark.timeout(20)
def test_a_message_in_very_many_pieces_is_put_together_once() -> None:
    filler = delimited(1, delimited(15, b"x" * 60))  # appended one by one: 300 GB to copy
    pieces = filler * 100_000 + delimited(1, delimited(1, b"c"))
    found = document_of(MESSAGES["v1", "ConfigMap"], pieces, Budget(1_000_000))
    assert found == {"metadata": {"name": "c"}}


def test_unknown_fields_are_passed_over() -> None:
    unknown = b"\xa0\x06\x01" + b"\xa5\x06abcd" + b"\xa1\x06abcdefgh" + b"\xa2\x06\x03abc"
    assert document_of(MESSAGES["v1", "ConfigMap"], unknown, Budget()) == {}


def test_packed_numbers_are_read_too() -> None:
    numbers = Message("Numbers", {1: Field("numbers", "int32", "many")})
    assert document_of(numbers, b"\x08\x05" + delimited(1, b"\x06\x80\x01"), Budget()) == {
        "numbers": [5, 6, 128]
    }


def test_the_wire_gives_fields_in_order() -> None:
    data = b"\x08\x96\x01" + delimited(2, b"ab")
    assert list(fields_of(data, Budget())) == [(1, 0, 150), (2, 2, b"ab")]
    with pytest.raises(Malformed, match="integer overflow"):
        list(fields_of(b"\x08" + b"\xff" * 9 + b"\x02", Budget()))
