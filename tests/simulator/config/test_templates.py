"""The part of Go's templates that names of hosts need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.config.parsing import ConfigError
from simulator.config.templates import Values, render

VALUES: Values = {"Name": "hello", "Namespace": "shop", "Labels": {"app.kubernetes.io/x": "y"}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{.Name}}.{{.Namespace}}", "hello.shop"),
        ("{{ .Name }}", "hello"),
        ("a {{- .Name -}} b", "ahellob"),
        ('{{index .Labels "app.kubernetes.io/x"}}', "y"),
        ('{{ index .Labels "missing" }}.x', ".x"),
        ("plain", "plain"),
    ],
)
def test_fields_and_keys_are_put_in_place(template: str, expected: str) -> None:
    assert render(template.replace("{{- .", "{{- ."), VALUES) == expected


@pytest.mark.parametrize(
    "template", ["{{.Nope}}", "{{.Labels}}", "{{", "{{.Name", '{{index .Name "x"}}', "{{}}"]
)
def test_anything_else_is_refused(template: str) -> None:
    with pytest.raises(ConfigError):
        render(template, VALUES)


@given(st.text(alphabet='{}.-" Nameindx', max_size=40))
def test_a_template_is_rendered_or_refused(template: str) -> None:
    try:
        render(template, VALUES)
    except ConfigError:
        return
