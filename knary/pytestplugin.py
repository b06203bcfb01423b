"""The pytest plugin: the fixture `knary` is an emulator that begins anew for each test.

One instance per session, and per process of pytest-xdist, on free ports; a test that asks for
another splitter or more workers by its marker gets one of that kind. Nothing of knary is loaded
until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from knary.asynchronous import AsyncEmulator
    from knary.emulator import Emulator
    from knary.emulators import Emulators

MARKER = "knary(splitter=..., workers=..., seed=...): how the test's `knary` deals its traffic"
_FIXTURES = ("knary", "knary_emulator")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of the session's emulator, for pytest.ini or pyproject.toml."""
    parser.addini("knary_splitter", "How shares of traffic are dealt out: docs/splitters.md.")
    parser.addini("knary_workers", "How many gateway workers deal them.", default="1")
    parser.addini("knary_seed", "Makes splits repeatable, from the beginning of each test.")
    parser.addini("knary_images", "A file that says which programs images stand for.")
    parser.addini("knary_manifests", "Files that each test begins with.", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what the instance has and printed to the report of a test that failed."""
    report = yield
    given = getattr(item, "funcargs", {})
    emulator = next((given[name] for name in _FIXTURES if name in given), None)
    if emulator is not None and report.failed and report.when != "teardown":
        from knary.emulator import Emulator
        from knary.reporting import sections

        if isinstance(emulator, Emulator):  # a suite may have a fixture of that name itself
            report.sections += sections(emulator)
    return report


@pytest.fixture(scope="session")
def knary_emulators(pytestconfig: pytest.Config) -> Iterator[Emulators]:
    """Return the session's emulators, one of each kind that its tests ask for."""
    from knary.emulators import Emulators, wishes_of

    with Emulators(wishes_of(pytestconfig.getini, pytestconfig.rootpath)) as emulators:
        yield emulators


@pytest.fixture(scope="session")
def knary_emulator(knary_emulators: Emulators) -> Emulator:
    """Return the session's emulator, which is not reset: for fixtures of a wider scope."""
    return knary_emulators.get({})


@pytest.fixture
def knary(request: pytest.FixtureRequest, knary_emulators: Emulators) -> Emulator:
    """Return an emulator that is as it began: no objects of other tests, splits begin anew."""
    marker = request.node.get_closest_marker("knary")
    return knary_emulators.fresh(dict(marker.kwargs) if marker else {})


@pytest.fixture
def async_knary(knary: Emulator) -> AsyncEmulator:
    """Return the same emulator as `knary`, whose methods are awaited."""
    from knary.asynchronous import AsyncEmulator

    return AsyncEmulator(knary)
