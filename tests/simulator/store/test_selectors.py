"""Selectors mean what they mean to an API server, or are refused in its words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import BadRequest
from simulator.resources.core import Event, ObjectReference, Pod, PodStatus, PodTemplateSpec
from simulator.resources.meta import ObjectMeta, Resource
from simulator.resources.scheme import info_of
from simulator.resources.serving import Service
from simulator.store.selectors import EVERYTHING, Selector, parse_labels, parse_selector

SERVICE = info_of(Service)


def labelled(**labels: str) -> Service:
    return Service(metadata=ObjectMeta(name="hello", namespace="default", labels=labels))


@pytest.mark.parametrize(
    ("selector", "matching", "others"),
    [
        ("", [{}, {"a": "1"}], []),
        ("  ", [{}], []),
        ("a=1", [{"a": "1"}, {"a": "1", "b": "2"}], [{}, {"a": "2"}]),
        ("a==1", [{"a": "1"}], [{"a": "2"}]),
        ("a = 1 , b = 2", [{"a": "1", "b": "2"}], [{"a": "1"}, {"b": "2"}]),
        ("a=", [{"a": ""}], [{}, {"a": "1"}]),
        ("a!=1", [{}, {"a": "2"}], [{"a": "1"}]),
        ("a in (1,2)", [{"a": "1"}, {"a": "2"}], [{}, {"a": "3"}]),
        ("a in(1)", [{"a": "1"}], [{}]),
        ("a notin (1,2)", [{}, {"a": "3"}], [{"a": "1"}]),
        ("a in ()", [{"a": ""}], [{}, {"a": "1"}]),
        ("a in (,1)", [{"a": ""}, {"a": "1"}], [{}]),
        ("a", [{"a": ""}, {"a": "1"}], [{}]),
        ("!a", [{}, {"b": ""}], [{"a": ""}]),
        ("! a,b", [{"b": ""}], [{"a": "", "b": ""}, {}]),
        ("a>1", [{"a": "2"}], [{"a": "1"}, {"a": "x"}, {}]),
        ("a<10", [{"a": "9"}], [{"a": "10"}]),
        ("in in (in,notin)", [{"in": "in"}, {"in": "notin"}], [{"in": "x"}]),
        ("example.com/a-b_c=X.y", [{"example.com/a-b_c": "X.y"}], [{}]),
    ],
)
def test_label_selectors_match(
    selector: str, matching: list[dict[str, str]], others: list[dict[str, str]]
) -> None:
    parsed = parse_selector(SERVICE, labels=selector)
    assert [parsed.matches(labelled(**labels)) for labels in matching] == [True] * len(matching)
    assert [parsed.matches(labelled(**labels)) for labels in others] == [False] * len(others)


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=1 2", "found '2', expected: ',' or 'end of string'"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("!a=1", "found '=', expected: ',' or 'end of string'"),
        ("a in 1", "expected: '('"),
        ("a in (1", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (1 2)", "unable to parse requirement: found '2', expected: ',' or ')'"),
        ("a in ((", "unable to parse requirement: found '(', expected: ',' or ')'"),
        ("a>x", "the value must be an integer"),
        ("-a", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist'),
        ("a/b/c", 'Invalid value: "a/b/c": a qualified name must'),
        ("a=-b", 'values[0][a]: Invalid value: "-b": a valid label must be an empty string or'),
        ("a=" + "b" * 64, "must be no more than 63 characters"),
        ("a=" + "b" * 70_000, "a selector has more than 65536 characters"),
    ],
)
def test_bad_label_selectors_are_refused_in_kubernetes_words(selector: str, why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_selector(SERVICE, labels=selector)
    assert why in refused.value.message


EVENT = Event(
    metadata=ObjectMeta(name="e", namespace="default"),
    involved_object=ObjectReference(
        api_version="v1",
        kind="Pod",
        namespace="default",
        name="p",
        uid="u",
        resource_version="5",
        field_path="spec.x",
    ),
    reason="Started",
    type="Normal",
)
POD = Pod(
    metadata=ObjectMeta(name="p", namespace="default"),
    spec=PodTemplateSpec(node_name="here"),
    status=PodStatus(phase="Running"),
)


@pytest.mark.parametrize(
    ("resource", "selector", "matches"),
    [
        (labelled(), "", True),
        (labelled(), "metadata.name=hello", True),
        (labelled(), "metadata.name==hello,metadata.namespace=default", True),
        (labelled(), "metadata.name=other", False),
        (labelled(), "metadata.name!=other", True),
        (labelled(), "metadata.namespace!=default", False),
        (labelled(), ",metadata.name=hello,", True),
        (labelled(), "metadata.name=a\\,b\\=c\\\\", False),
        (EVENT, "involvedObject.kind=Pod,involvedObject.name=p,involvedObject.uid=u", True),
        (EVENT, "involvedObject.namespace=default,involvedObject.apiVersion=v1", True),
        (EVENT, "involvedObject.fieldPath=spec.x,involvedObject.resourceVersion=5", True),
        (EVENT, "reason=Started,type=Normal", True),
        (EVENT, "type!=Normal", False),
        (POD, "status.phase=Running,spec.nodeName=here", True),
        (POD, "status.phase=Pending", False),
    ],
)
def test_field_selectors_match(resource: Resource, selector: str, matches: bool) -> None:
    assert parse_selector(info_of(resource), fields=selector).matches(resource) is matches


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ("status.url=x", "field label not supported: status.url"),
        ("status.phase=Running", "field label not supported: status.phase"),
        ("=x", "field label not supported: "),
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name=a=b", "unescaped character in value: 61"),
        ("metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"),
        ("metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_bad_field_selectors_are_refused_in_kubernetes_words(selector: str, why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_selector(SERVICE, fields=selector)
    assert why in refused.value.message


def test_an_escaped_value_is_taken_literally() -> None:
    parsed = parse_selector(SERVICE, fields="metadata.name=a\\,b\\=c\\\\d")
    assert parsed.exact_name == "a,b=c\\d"


def test_labels_and_fields_must_both_match() -> None:
    parsed = parse_selector(SERVICE, labels="a=1", fields="metadata.name=hello")
    assert parsed.matches(labelled(a="1"))
    assert not parsed.matches(labelled(a="2"))
    assert not parse_selector(SERVICE, labels="a=1", fields="metadata.name=x").matches(
        labelled(a="1")
    )


def test_a_selector_tells_what_it_is_about() -> None:
    assert parse_selector(SERVICE) == EVERYTHING
    assert EVERYTHING.is_everything
    assert EVERYTHING.exact_name is None
    assert not parse_selector(SERVICE, labels="a").is_everything
    assert parse_selector(SERVICE, fields="metadata.name!=x").exact_name is None


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="ab1=!,() <>\tinot-./", max_size=40))
def test_any_text_is_a_selector_or_a_bad_request(text: str) -> None:
    for labels, fields in ((text, ""), ("", text)):
        try:
            parsed = parse_selector(SERVICE, labels, fields)
        except BadRequest:
            continue
        assert isinstance(parsed, Selector)
        parsed.matches(labelled(a="1", b=""))


KEYS = st.sampled_from(["a", "b", "in", "example.com/c"])
VALUES = st.sampled_from(["", "1", "x", "in"])


@settings(deadline=None)
@given(KEYS, st.lists(VALUES, min_size=1, max_size=3), st.dictionaries(KEYS, VALUES))
def test_in_and_notin_are_opposites(key: str, values: list[str], labels: dict[str, str]) -> None:
    inside = parse_labels(f"{key} in ({','.join(values)})")
    outside = parse_labels(f"{key} notin ({','.join(values)})")
    assert all(each.is_met(labels) for each in inside) is (labels.get(key) in values)
    assert all(each.is_met(labels) for each in outside) is (labels.get(key) not in values)
