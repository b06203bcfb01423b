"""Kubernetes' rules for names, labels and image references, each with its own words of complaint.

Sources: apimachinery `util/validation/validation.go`, `api/validate/content`; RFC 1035, RFC 1123;
go-containerregistry `pkg/name` (weak validation). Each `*_problems` returns () for a valid value.
"""

from __future__ import annotations

import re

LABEL_CHARACTERS_MAX = 63
SUBDOMAIN_CHARACTERS_MAX = 253

_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_DNS_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_1123}(\.{_DNS_1123})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"

_dns_1035 = re.compile(_DNS_1035)
_dns_1123 = re.compile(_DNS_1123)
# One character class and one separator at a time: linear in the length of the name.
_subdomain = re.compile(_SUBDOMAIN)
_qualified = re.compile(_QUALIFIED)

_DNS_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character"
    f" (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS_1035}')"
)
_DNS_1123_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character"
    f" (e.g. 'my-name',  or '123-abc', regex used for validation is '{_DNS_1123}')"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character"
    f" (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_QUALIFIED_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc',"
    f" regex used for validation is '{_QUALIFIED}')"
)
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    f" '12345', regex used for validation is '{_LABEL_VALUE}')"
)


def _too_long(characters_max: int) -> str:
    return f"must be no more than {characters_max} characters"


def dns_1035_label_problems(name: str) -> tuple[str, ...]:
    """Return what keeps the name from being a DNS-1035 label: Knative's objects, tags."""
    problems = []
    if len(name) > LABEL_CHARACTERS_MAX:
        problems.append(_too_long(LABEL_CHARACTERS_MAX))
    if not _dns_1035.fullmatch(name):
        problems.append(_DNS_1035_RULE)
    return tuple(problems)


def dns_1123_label_problems(name: str) -> tuple[str, ...]:
    """Return what keeps the name from being a DNS-1123 label: namespaces, volumes."""
    problems = []
    if len(name) > LABEL_CHARACTERS_MAX:
        problems.append(_too_long(LABEL_CHARACTERS_MAX))
    if not _dns_1123.fullmatch(name):
        # A name that is wrong by its dots only gets a shorter complaint, as in Kubernetes.
        dotted = bool(_subdomain.fullmatch(name))
        problems.append("must not contain dots" if dotted else _DNS_1123_RULE)
    return tuple(problems)


def dns_1123_subdomain_problems(name: str) -> tuple[str, ...]:
    """Return what keeps the name from being a DNS-1123 subdomain: any object's name."""
    problems = []
    if len(name) > SUBDOMAIN_CHARACTERS_MAX:
        problems.append(_too_long(SUBDOMAIN_CHARACTERS_MAX))
    if not _subdomain.fullmatch(name):
        problems.append(_SUBDOMAIN_RULE)
    return tuple(problems)


def prefix_for_check(generate_name: str) -> str:
    """Return a name to check in place of a prefix: a dash at its end will not be at the end."""
    if len(generate_name) > 1 and generate_name.endswith("-"):
        return generate_name[:-2] + "a"
    return generate_name


def qualified_name_problems(name: str) -> tuple[str, ...]:
    """Return what keeps it from being `[PREFIX/]NAME`: keys of labels and annotations."""
    prefix, slash, rest = name.partition("/")
    if slash and "/" in rest:
        return (
            "a qualified name "
            + _QUALIFIED_RULE
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    problems: list[str] = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in dns_1123_subdomain_problems(prefix)]
    part = rest if slash else prefix
    if not part:
        problems.append("name part must be non-empty")
    elif len(part) > LABEL_CHARACTERS_MAX:
        problems.append("name part " + _too_long(LABEL_CHARACTERS_MAX))
    if not _qualified.fullmatch(part):
        problems.append("name part " + _QUALIFIED_RULE)
    return tuple(problems)


def label_value_problems(value: str) -> tuple[str, ...]:
    """Return what keeps it from being the value of a label."""
    problems = []
    if len(value) > LABEL_CHARACTERS_MAX:
        problems.append(_too_long(LABEL_CHARACTERS_MAX))
    if value and not _qualified.fullmatch(value):
        problems.append(_LABEL_VALUE_RULE)
    return tuple(problems)


_tag = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_repository = re.compile(r"[a-z0-9_./-]{2,255}")
_registry = re.compile(r"[A-Za-z0-9._~-]+(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
_digest = re.compile(r"sha256:[0-9a-f]{64}")


def is_image_reference(reference: str) -> bool:
    """Tell whether it reads `[REGISTRY/]REPOSITORY[:TAG]`, or the same with `@sha256:HEX`."""
    name, at, digest = reference.partition("@")
    if at and not _digest.fullmatch(digest):
        return False
    base, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        base = name
    elif tag and not _tag.fullmatch(tag):
        # A tag beside a digest is only a note, but then the whole must be a repository's name.
        return False
    return _is_repository(base)


def _is_repository(name: str) -> bool:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first):
        return bool(_registry.fullmatch(first) and _repository.fullmatch(rest))
    return bool(_repository.fullmatch(name))
