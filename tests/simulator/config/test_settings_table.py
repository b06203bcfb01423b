"""The one table of settings: that of the maps, of their examples and of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.config.current import NAMES, READERS, check
from simulator.config.features import FeaturesConfig
from simulator.config.keys import REQUIRED, SETTINGS, example, page, required
from simulator.config.parsing import (
    ANNOTATION_EXAMPLE_CHECKSUM,
    EXAMPLE,
    ConfigError,
    example_checksum,
)
from simulator.resources.core import ConfigMap
from simulator.resources.meta import ObjectMeta

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def refusal(name: str, data: dict[str, str], annotations: dict[str, str] | None = None) -> str:
    """Return why the map is refused; "" when it is not."""
    meta = ObjectMeta(name=name, annotations=annotations or {})
    try:
        check(ConfigMap(meta, data=data))
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_may_have_its_stock_value(name: str) -> None:
    given = {one.key: one.stock for one in SETTINGS[name] if one.stock}
    given = {key: text for key, text in given.items() if "COMPONENT" not in key}
    assert refusal(name, given | required(name)) == ""
    if name == "config-domain":  # its keys are domains; an empty one is every route's
        return
    found, stock = READERS[name](given | required(name)), READERS[name](required(name))
    if isinstance(found, FeaturesConfig) and isinstance(stock, FeaturesConfig):
        assert (found.enabled, found.allowed) == (stock.enabled, stock.allowed)
        assert stock.enabled <= set(given)
    else:
        assert found == stock


def test_the_table_of_settings_is_that_of_the_maps() -> None:
    assert set(SETTINGS) == set(READERS)
    assert set(REQUIRED) <= set(SETTINGS)


def test_the_documentation_has_every_setting() -> None:
    """To mend the page: print the lines of `simulator.config.keys.page()` and paste them."""
    found = [line for line in PAGE.read_text().splitlines() if line.startswith(("|", "## config"))]
    assert found == [line for line in page() if line]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_may_not_be_edited_by_mistake(name: str) -> None:
    text = example(name)
    known = {ANNOTATION_EXAMPLE_CHECKSUM: example_checksum(text)}
    data = {EXAMPLE: text, **required(name)}
    assert refusal(name, data, known) == ""
    assert (
        refusal(name, {**data, EXAMPLE: f"\n{text.replace(chr(10), chr(13) + chr(10))} "}, known)
        == ""
    )
    edited = {**data, EXAMPLE: f"{text}more: 1"}
    assert refusal(name, edited, known) == (
        'the update modifies a key in "_example" which is probably not what you want. Instead,'
        ' copy the respective setting to the top-level of the ConfigMap, directly below "data"'
    )
    assert refusal(name, edited) == "", "without a checksum nobody can tell"


def test_a_checksum_is_knatives() -> None:
    assert example_checksum("  a: 1\r\n\r\nb: 2\n") == example_checksum("a: 1\nb: 2")
    assert example_checksum("a: 1\nb: 2") == example_checksum("a: 1\\nb: 2")
    assert example_checksum("") == "00000000"
