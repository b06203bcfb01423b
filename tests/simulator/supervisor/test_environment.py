"""What a replica's process is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.images import Program
from simulator.launcher.protocol import Executable, ForkedApp, Spawn
from simulator.resources.podspec import Container, EnvFrom, EnvVar
from simulator.supervisor.environment import (
    ConfigError,
    Place,
    environment,
    expand,
    invocation,
    order,
    working_folder,
)
from simulator.supervisor.settings import settings_from
from tests.support.supervised import pod

APP = Program(app="helloworld_go", env={"FAIL": "bad"})
SERVE = Program(command=("serve", "$(PORT)"), workdir="/site", env={"MODE": "map", "PATH": "/map"})


def test_the_environment_is_built_from_nothing_in_the_documented_order() -> None:
    container = Container(
        env=(EnvVar("MODE", "own"), EnvVar("PORT", "1"), EnvVar("K_SERVICE", "s"))
    )
    inherited = settings_from(
        {"PATH": "/bin", "HOME": "/home/u", "LANG": "de_DE.UTF-8", "AWS_SECRET": "x"}
    ).inherited
    assert environment(inherited, "/private/tmp", SERVE, container, 20000) == {
        "PATH": "/map",
        "HOME": "/home/u",
        "LANG": "de_DE.UTF-8",
        "TMPDIR": "/private/tmp",
        "MODE": "own",
        "K_SERVICE": "s",
        "PORT": "20000",
    }


def test_what_knary_itself_lacks_has_a_default() -> None:
    assert settings_from({}).inherited == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/",
        "LANG": "C.UTF-8",
    }


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("x$(A)$(B)y", "x12y"),
        ("$$(A)", "$(A)"),
        ("$(C)", "$(C)"),
        ("$A ${A} $(A", "$A ${A} $(A"),
        ("$$$(A)", "$1"),
        ("$(AGAIN)", "$(A)"),
    ],
)
def test_references_are_expanded_once(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "B": "2", "AGAIN": "$(A)"}) == expanded


@given(st.text(alphabet="$()Ab "))
def test_a_text_without_references_to_anything_known_loses_at_most_doubled_dollars(
    text: str,
) -> None:
    assert expand(text, {}).replace("$", "") == text.replace("$", "")


def test_a_variable_may_name_those_before_it() -> None:
    own = (EnvVar("A", "1"), EnvVar("B", "$(A)2"), EnvVar("C", "$(D)"), EnvVar("D", "4"))
    found = environment({}, "/t", APP, Container(env=own), 1)
    assert (found["B"], found["C"]) == ("12", "$(D)")


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            Container(env=(EnvVar("A", value_from={"secretKeyRef": {"name": "s", "key": "k"}}),)),
            'secret "s" not found',
        ),
        (
            Container(env=(EnvVar("A", value_from={"configMapKeyRef": {"name": "c"}}),)),
            'configmap "c" not found',
        ),
        (Container(env_from=(EnvFrom(secret_ref={"name": "s"}),)), 'secret "s" not found'),
        (Container(env=(EnvVar("A=B", "x"),)), "invalid environment variable 'A=B'"),
        (Container(env=(EnvVar("A", "x\0"),)), "invalid environment variable 'A'"),
    ],
)
def test_what_cannot_be_had_is_said(container: Container, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment({}, "/t", APP, container, 1)
    assert str(caught.value) == message


def test_an_optional_reference_may_be_absent() -> None:
    reference = {"secretKeyRef": {"name": "s", "optional": True}}
    container = Container(
        env=(EnvVar("A", value_from=reference),),
        env_from=(EnvFrom(config_map_ref={"name": "c", "optional": True}),),
    )
    assert "A" not in environment({}, "/t", APP, container, 1)


@pytest.mark.parametrize(
    ("program", "container", "expected"),
    [
        (APP, Container(), ForkedApp("helloworld_go")),
        (APP, Container(args=("$(PORT)",)), ForkedApp("helloworld_go", ("7",))),
        (APP, Container(command=("run",), args=("a",)), Executable(("run", "a"))),
        (SERVE, Container(), Executable(("serve", "7"))),
        (SERVE, Container(args=("-v",)), Executable(("serve", "7", "-v"))),
        (SERVE, Container(command=("other", "$(PORT)")), Executable(("other", "7"))),
    ],
)
def test_the_containers_command_takes_the_place_of_the_images(
    program: Program, container: Container, expected: ForkedApp | Executable
) -> None:
    assert invocation(program, container, {"PORT": "7"}) == expected


@pytest.mark.parametrize(
    ("program", "container", "folder"),
    [
        (APP, Container(working_dir="/app"), "/private"),
        (APP, Container(command=("x",), working_dir="/app"), "/app"),
        (SERVE, Container(), "/site"),
        (SERVE, Container(working_dir="sub"), "/site/sub"),
        (Program(command=("x",)), Container(), "/private"),
    ],
)
def test_where_a_process_starts(program: Program, container: Container, folder: str) -> None:
    assert working_folder(program, container, "/private") == folder


def test_an_order_is_whole() -> None:
    one = pod(env={"TARGET": "Knative"}).with_metadata(uid="u-1")
    place = Place("/private", "/private/tmp", "/logs/one.log")
    assert order(one, APP, 20000, place, {"PATH": "/bin"}) == Spawn(
        id="u-1",
        program=ForkedApp("helloworld_go"),
        environment={
            "PATH": "/bin",
            "TMPDIR": "/private/tmp",
            "FAIL": "bad",
            "TARGET": "Knative",
            "PORT": "20000",
        },
        folder="/private",
        log="/logs/one.log",
        port=20000,
    )
