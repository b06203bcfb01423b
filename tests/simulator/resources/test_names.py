"""Names, labels and image references are judged in the words of Kubernetes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.resources.names import (
    dns_1035_label_problems,
    dns_1123_label_problems,
    dns_1123_subdomain_problems,
    is_image_reference,
    label_value_problems,
    prefix_for_check,
    qualified_name_problems,
)

Problems = Callable[[str], tuple[str, ...]]


@pytest.mark.parametrize(
    ("problems", "valid"),
    [
        (dns_1035_label_problems, ("a", "my-name", "a" * 63, "a1")),
        (dns_1123_label_problems, ("1", "1a-b", "a" * 63)),
        (dns_1123_subdomain_problems, ("a.b", "1.2.3", "a-b.c", "a" * 253)),
        (qualified_name_problems, ("a", "a.b/C_d", "x" * 63, "A.b-c_d")),
        (label_value_problems, ("", "a", "A_b.c-d", "1")),
    ],
)
def test_valid_names_have_no_problems(problems: Problems, valid: tuple[str, ...]) -> None:
    assert [problems(name) for name in valid] == [()] * len(valid)


@pytest.mark.parametrize(
    ("problems", "name", "complaints"),
    [
        (dns_1035_label_problems, "1a", ["a DNS-1035 label must"]),
        (dns_1035_label_problems, "a.b", ["a DNS-1035 label must"]),
        (dns_1035_label_problems, "a\n", ["a DNS-1035 label must"]),
        (dns_1035_label_problems, "a" * 64, ["must be no more than 63 characters"]),
        (dns_1035_label_problems, "A" * 64, ["must be no more than 63", "a DNS-1035 label must"]),
        (dns_1123_label_problems, "a.b", ["must not contain dots"]),
        (dns_1123_label_problems, "A", ["a lowercase RFC 1123 label must"]),
        (dns_1123_subdomain_problems, "a..b", ["a lowercase RFC 1123 subdomain must"]),
        (dns_1123_subdomain_problems, "a" * 254, ["must be no more than 253 characters"]),
        (qualified_name_problems, "b ar", ["name part must consist of alphanumeric"]),
        (qualified_name_problems, "/a", ["prefix part must be non-empty"]),
        (qualified_name_problems, "A/", ["prefix part a lower", "name part must be non", "name p"]),
        (qualified_name_problems, "a/b/c", ["a qualified name must consist"]),
        (label_value_problems, "-a", ["a valid label must be an empty string"]),
    ],
)
def test_each_problem_is_told(problems: Problems, name: str, complaints: list[str]) -> None:
    found = problems(name)
    assert len(found) == len(complaints)
    for problem, complaint in zip(found, complaints, strict=True):
        assert problem.startswith(complaint)


@pytest.mark.parametrize("problems", [dns_1123_subdomain_problems, qualified_name_problems])
def test_a_huge_name_is_judged_at_once(problems: Problems) -> None:
    for name in ("a." * 50_000 + "!", "a" * 100_000 + "!", "a-" * 50_000):
        assert problems(name)


def test_a_prefix_may_end_with_a_dash() -> None:
    assert [prefix_for_check(name) for name in ("hello-", "hello", "-")] == ["hella", "hello", "-"]


@pytest.mark.parametrize(
    ("reference", "is_valid"),
    [
        ("hello", True),
        ("ghcr.io/knative/helloworld-go:latest", True),
        ("registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56", True),
        ("localhost:5000/a/b", True),
        ("localhost:5000/a/b:tag", True),
        ("foo@sha256:" + "0" * 64, True),
        ("foo:tag@sha256:" + "0" * 64, True),
        ("foo:", True),
        ("foo:bar:baz", False),
        ("Foo", False),
        ("a", False),
        ("", False),
        ("foo@sha256:abc", False),
        ("foo@md5:" + "0" * 64, False),
        ("foo@@sha256:" + "0" * 64, False),
        ("foo bar", False),
        ("foo:" + "t" * 129, False),
        ("exa mple.com/foo", False),
        ("dev.local/", False),
    ],
)
def test_image_references_are_read_as_registries_do(reference: str, is_valid: bool) -> None:
    assert is_image_reference(reference) is is_valid
