"""Methods and paths to verbs, and query parameters, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.api.paths import parse_path, verb_of
from simulator.api.queries import Query
from simulator.errors import BadRequest, MethodNotAllowed, NotFound

S = "/apis/serving.knative.dev/v1"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/namespaces", ("namespaces", "", "", "")),
        ("/api/v1/namespaces/default", ("namespaces", "", "default", "")),
        ("/api/v1/namespaces/default/status", ("namespaces", "", "default", "status")),
        ("/api/v1/namespaces/default/pods", ("pods", "default", "", "")),
        ("/api/v1/namespaces/default/pods/p/log", ("pods", "default", "p", "log")),
        ("/api/v1/namespaces/default/events/e%2E1", ("events", "default", "e.1", "")),
        ("/api/v1/pods", ("pods", "", "", "")),
        (f"{S}/services", ("services", "", "", "")),
        (f"{S}/namespaces/default/services", ("services", "default", "", "")),
        (f"{S}/namespaces/default/services/hello", ("services", "default", "hello", "")),
        (f"{S}/namespaces/d/services/h/status", ("services", "d", "h", "status")),
    ],
)
def test_a_path_names_a_resource(path: str, expected: tuple[str, str, str, str]) -> None:
    target = parse_path(path)
    assert target is not None
    assert (target.info.plural, target.namespace, target.name, target.subresource) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/widgets",
        "/api/v1/pods/p",
        "/api/v1/namespaces/default/namespaces",
        "/api/v1/namespaces/default/pods/",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/default/pods/p/nothing",
        "/api/v1/namespaces/default/pods/p/log/more",
        "/api/v1/namespaces/default/events/e/status",
        "/apis//v1/namespaces",
        "/apis/serving.knative.dev/v2/services",
        f"{S}/services/hello",
        f"{S}/namespaces",
        "/apis/eventing.knative.dev/v1/brokers",
        "api/v1/pods",
        "*",
    ],
)
def test_other_paths_name_nothing(path: str) -> None:
    assert parse_path(path) is None


def test_a_subresource_that_a_custom_resource_has_not_is_not_found() -> None:
    """As apiextensions' handler says it (`customresource_handler.go`)."""
    with pytest.raises(NotFound) as missing:
        parse_path(f"{S}/namespaces/default/services/hello/scale")
    assert missing.value.message == 'services.serving.knative.dev "hello" not found'


@pytest.mark.parametrize(
    "below", ["attach", "ephemeralcontainers", "exec", "portforward", "proxy", "proxy/some/path"]
)
def test_what_would_reach_into_a_container_is_refused_in_words(below: str) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        parse_path(f"/api/v1/namespaces/default/pods/p/{below}")
    assert f"{below.partition('/')[0]} is not supported" in refused.value.message
    assert parse_path(f"/api/v1/namespaces/default/configmaps/p/{below}") is None


@pytest.mark.parametrize("name", ["..", ".", "a%2Fb", "%2e%2e", "a%00", "a%5Cb", "%252e", "%ff"])
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        parse_path(f"/api/v1/namespaces/default/pods/{name}/log")
    with pytest.raises(BadRequest):
        parse_path(f"/api/v1/namespaces/{name}/pods")


@given(st.text(alphabet=st.sampled_from("/api.v1%2ef\\ns"), max_size=60) | st.text())
def test_no_path_makes_the_parser_fail(path: str) -> None:
    for prefix in ("", "/api/v1/", f"{S}/namespaces/"):
        try:
            target = parse_path(prefix + path)
        except (BadRequest, NotFound):
            continue
        if target is not None:
            assert not {"/", "\0", "\\"} & {*target.name, *target.namespace}


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("GET", "/api/v1/pods", "list"),
        ("GET", "/api/v1/pods?watch", "watch"),
        ("GET", "/api/v1/namespaces/d/pods/p", "get"),
        ("GET", "/api/v1/namespaces/d/pods/p?watch", "watch"),
        ("GET", "/api/v1/namespaces/d/pods/p/log", "log"),
        ("GET", "/api/v1/namespaces/d/pods/p/status", "get"),
        ("DELETE", "/api/v1/namespaces/d/pods/p", "delete"),
        ("DELETE", "/api/v1/namespaces/d/pods", "deletecollection"),
        ("POST", f"{S}/namespaces/d/services", "create"),
        ("PUT", f"{S}/namespaces/d/services/s", "update"),
        ("PUT", f"{S}/namespaces/d/services/s/status", "update"),
        ("PATCH", f"{S}/namespaces/d/services/s", "patch"),
        ("DELETE", "/api/v1/namespaces", None),
        ("POST", "/api/v1/namespaces", "create"),
        ("POST", "/api/v1/namespaces/d/pods", None),
        ("PUT", "/api/v1/namespaces/d/pods/p", None),
        ("PATCH", "/api/v1/namespaces/d/events/e", None),
        ("PUT", "/api/v1/namespaces/d/pods/p/status", None),
        ("POST", f"{S}/services", None),
        ("DELETE", f"{S}/services", None),
        ("POST", f"{S}/namespaces/d/services/s", None),
        ("PUT", f"{S}/namespaces/d/services", None),
        ("DELETE", f"{S}/namespaces/d/services/s/status", None),
        ("HEAD", "/api/v1/pods", None),
        ("OPTIONS", f"{S}/namespaces/d/services/s", None),
        ("FOO", "/api/v1/pods", None),
    ],
)
def test_a_method_asks_for_a_verb(method: str, path: str, verb: str | None) -> None:
    path, _, watch = path.partition("?")
    target = parse_path(path)
    assert target is not None
    if verb is not None:
        assert verb_of(method, target, is_watch=bool(watch)) == verb
        return
    with pytest.raises(MethodNotAllowed, match="the server does not allow this method"):
        verb_of(method, target, is_watch=bool(watch))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("watch=true", True),
        ("watch=True", True),
        ("watch=1", True),
        ("watch", True),
        ("watch=", True),
        ("watch=yes", True),
        ("watch=0", False),
        ("watch=false", False),
        ("watch=FALSE", False),
        ("watch=false&watch=true", False),
        ("other=1", False),
        ("", False),
    ],
)
def test_a_boolean_is_true_unless_it_says_no(query: str, expected: bool) -> None:
    assert Query.parse(query).boolean("watch") is expected


@pytest.mark.parametrize("text", ["x", "1.5", "0x1", "1_0", "+1", " 1", "٣", "9" * 30, "--1", "-"])
def test_what_is_no_number_is_refused(text: str) -> None:
    query = Query({"limit": text, "resourceVersion": text})
    with pytest.raises(BadRequest, match="limit"):
        query.integer("limit")
    with pytest.raises(BadRequest, match="resourceVersion"):
        query.version()


def test_numbers_and_text_are_read() -> None:
    query = Query.parse("limit=-5&resourceVersion=12&labelSelector=a%3Db&empty=")
    assert (query.integer("limit"), query.version(), query.text("labelSelector")) == (-5, 12, "a=b")
    assert (query.integer("empty"), query.integer("absent"), query.version("absent")) == (None,) * 3


@given(st.text())
def test_no_query_makes_the_parser_fail(text: str) -> None:
    try:
        query = Query.parse(text)
        query.version("a")
        query.integer("a")
    except BadRequest:
        return


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(BadRequest):
        Query.parse("&".join(f"a{n}=1" for n in range(1000)))
