"""Which program an image reference stands for."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.images import (
    HELLOWORLD_GO,
    HELLOWORLD_GRPC,
    WEBSOCKET_ECHO,
    ImageMap,
    ImageMapError,
    ImageRule,
    Program,
    built_in,
    image_digest,
    name_of,
    parse_image_map,
)

HELLO = Program(app=HELLOWORLD_GO)
GRPC = Program(app=HELLOWORLD_GRPC)
ECHO = Program(app=WEBSOCKET_ECHO)


def hello(fail: str) -> Program:
    return Program(app=HELLOWORLD_GO, env={"FAIL": fail})


@pytest.mark.parametrize(
    ("reference", "program"),
    [
        ("registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56", HELLO),
        ("gcr.io/knative-samples/helloworld-go", HELLO),
        ("ghcr.io/knative/helloworld-go:latest", HELLO),
        ("helloworld-go", HELLO),
        ("helloworld-go:1", HELLO),
        ("localhost:5000/helloworld-go", HELLO),
        ("localhost:5000/helloworld-go:bad", hello("bad")),
        ("helloworld-go:slow", hello("slow")),
        ("a/helloworld-go:slow-start", hello("slow-start")),
        ("a/b/helloworld-go:crash", hello("crash")),
        ("a/helloworld-go:never-ready", hello("never-ready")),
        ("a/helloworld-go:bad@sha256:00", hello("bad")),
        ("a/helloworld-go@sha256:00", HELLO),
        ("a/helloworld-go:badly", HELLO),
        ("registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-grpc:1", GRPC),
        ("helloworld-grpc:slow", Program(app=HELLOWORLD_GRPC, env={"FAIL": "slow"})),
        ("gcr.io/knative-samples/grpc-ping-go", GRPC),
        ("ko.local/knative.dev/serving/test/test_images/grpc-ping:latest", GRPC),
        ("ko.local/knative.dev/serving/test/test_images/wsserver", ECHO),
        ("example.com/websocket-echo:2", ECHO),
        ("a/helloworld-python", None),
        ("a/my-helloworld-go", None),
        ("a/helloworld-go-2", None),
        ("helloworld-go/other", None),
        ("", None),
    ],
)
def test_the_built_in_rules_know_the_stand_ins_of_any_registry(
    reference: str, program: Program | None
) -> None:
    assert built_in().resolve(reference) == program


def test_the_first_rule_that_matches_decides_and_a_users_rules_stand_first() -> None:
    own = parse_image_map(
        "- {image: '*/helloworld-go:v2', command: [two]}\n- {image: '*/shop-*', command: [shop]}",
        "images.yaml",
    )
    both = own.before(built_in())
    assert both.resolve("x.io/helloworld-go:v2") == Program(command=("two",))
    assert both.resolve("x.io/helloworld-go:v3") == HELLO
    assert both.resolve("x.io/team/shop-cart:1") == Program(command=("shop",))
    assert both.resolve("x.io/team/shop") is None


def test_an_image_pinned_by_digest_runs_what_the_digest_was_made_of() -> None:
    digest = image_digest("a/helloworld-go:bad", hello("bad"))
    pinned = {digest: hello("bad")}
    for rules in (built_in(), ImageMap()):
        assert rules.resolve(digest, pinned) == hello("bad")
        name, _, hex_ = digest.partition("@")
        assert rules.resolve(f"{name}:v2@{hex_}", pinned) == hello("bad")
    assert built_in().resolve(digest) == HELLO
    assert built_in().resolve("a/helloworld-go:bad@sha256:77", pinned) == hello("bad")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("a", "a"),
        ("a:1", "a"),
        ("h:5000/a", "h:5000/a"),
        ("h:5000/a:1", "h:5000/a"),
        ("h:5000/a:1@sha256:00", "h:5000/a"),
    ],
)
def test_a_registrys_port_is_no_tag(reference: str, name: str) -> None:
    assert name_of(reference) == name


def test_a_digest_is_the_same_for_the_same_and_another_for_another() -> None:
    one = image_digest("a/b:1", Program(command=("x", "y")))
    assert one.startswith("a/b@sha256:")
    assert len(one) == len("a/b@sha256:") + 64
    assert one == image_digest("a/b:1", Program(command=("x", "y")))
    assert one != image_digest("a/b:2", Program(command=("x", "y")))
    assert one != image_digest("a/b:1", Program(command=("x",), env={"y": ""}))
    assert one != image_digest("a/b:1", Program(command=("x", "y"), network="host"))
    assert one != image_digest("a/b:1", Program(command=("x", "y"), reach=(5432,)))
    assert image_digest("a/b:1@sha256:77", Program(command=("x",))) == "a/b@sha256:77"


def test_an_entry_may_have_workdir_env_and_a_sample_app() -> None:
    text = """
    - image: shop/*
      command: [./serve, "--port", $(PORT), ""]
      workdir: site
      env: {MODE: canary, EMPTY: ""}
    - image: "other/*"
      app: helloworld-go
      workdir: /abs
    """
    own = parse_image_map(text, "/home/u/images.yaml")
    assert own == ImageMap(
        (
            ImageRule(
                "shop/*",
                Program(
                    command=("./serve", "--port", "$(PORT)", ""),
                    workdir="/home/u/site",
                    env={"MODE": "canary", "EMPTY": ""},
                ),
                "/home/u/images.yaml",
            ),
            ImageRule("other/*", Program(app=HELLOWORLD_GO, workdir="/abs"), "/home/u/images.yaml"),
        )
    )
    assert own.rules[0].program.describe() == "MODE=canary EMPTY= ./serve --port $(PORT) "


def test_an_entry_may_say_where_its_replicas_live_and_what_they_reach() -> None:
    text = """
    - {image: crawler, app: helloworld-go, network: host}
    - {image: shop, app: helloworld-go, network: own, reach: [5432, 8081, 5432]}
    - {image: bare, app: helloworld-go, reach: []}
    """
    programs = [rule.program for rule in parse_image_map(text, "images.yaml").rules]
    assert [(one.network, one.reach) for one in programs] == [
        ("host", None),
        ("own", (5432, 8081)),
        ("own", ()),
    ]
    assert programs[0].describe() == "sample app helloworld_go (network: host)"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_an_empty_map_has_no_rules(text: str) -> None:
    assert parse_image_map(text, "images.yaml") == ImageMap()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "f: not YAML: mapping values are not allowed here, line 1, column 5"),
        ("- image: a\n\tapp: b", "f: not YAML: found a tab; YAML is indented with spaces, line 2"),
        ("image: x", "f: want a list of entries like"),
        ("- x", "f: entry 1: want a map with image and command, got 'x'"),
        ("- {image: a, command: [b]}\n- {cmd: [a]}", "f: entry 2: unknown field 'cmd'; known are"),
        ("- {command: [a]}", "f: entry 1: image: want a GLOB"),
        ("- {image: 7, command: [a]}", "f: entry 1: image: want a GLOB"),
        ("- {image: a}", "f: entry 1 (a): want exactly one of command and app"),
        ("- {image: a, command: [b], app: c}", "f: entry 1 (a): want exactly one of"),
        ("- {image: a, app: c}", "f: entry 1 (a): app: 'c' is no sample app; known: helloworld-go"),
        ("- {image: a, command: b c}", "f: entry 1 (a): command: want a list [PROGRAM"),
        ("- {image: a, command: []}", "f: entry 1 (a): command: want a list"),
        ("- {image: a, command: [b, 80]}", "f: entry 1 (a): command[1]: want a text; quote number"),
        ("- {image: a, command: ['']}", "f: entry 1 (a): command[0]: want a text"),
        ("- {image: a, command: [b], env: [c]}", "f: entry 1 (a): env: want a map of texts"),
        ("- {image: a, command: [b], env: {C: 1}}", "f: entry 1 (a): env.C: want a text, got 1;"),
        ("- {image: a, command: [b], env: {C=D: x}}", "f: entry 1 (a): env: 'C=D' is no name"),
        ("- {image: a, command: [b], workdir: 1}", "f: entry 1 (a): workdir: want a folder"),
        (
            "- {image: a, command: [b], network: x}",
            "f: entry 1 (a): network: want own or host, got",
        ),
        ("- {image: a, command: [b], reach: 80}", "f: entry 1 (a): reach: want a list of ports"),
        ("- {image: a, command: [b], reach: [0]}", "f: entry 1 (a): reach: want ports from 1 to"),
        ("- {image: a, command: [b], reach: [yes]}", "f: entry 1 (a): reach: want ports from 1"),
        (
            f"- {{image: a, command: [b], reach: {list(range(1, 18))}}}",
            "f: entry 1 (a): reach: at most 16 ports, got 17",
        ),
        ("- !!python/object/apply:os.getcwd []", "f: not YAML: could not determine a constructor"),
    ],
)
def test_a_broken_map_names_file_entry_and_field(text: str, message: str) -> None:
    with pytest.raises(ImageMapError) as caught:
        parse_image_map(text, "f")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=80))
def test_any_text_is_a_map_or_a_clear_refusal(text: str) -> None:
    with contextlib.suppress(ImageMapError):
        assert isinstance(parse_image_map(text, "f"), ImageMap)


@given(st.text(max_size=60))
def test_any_reference_resolves_or_does_not(reference: str) -> None:
    assert built_in().resolve(reference) in (None, HELLO, *map(hello, ("bad", "slow", "crash")))
