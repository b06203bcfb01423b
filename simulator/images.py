"""Which program runs for an image reference. Pure: no file is read here.

A map is a list of rules; the first whose GLOB matches the reference, with or without its tag,
decides. A user's rules stand before the built-in ones, which give Knative's well-known images of
any registry a sample app of knary's own (`_STAND_INS`); some tags misbehave (`_MISBEHAVING`).
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from msgspec import Struct

from simulator.errors import KnaryError

HELLOWORLD_GO: Final = "helloworld_go"
HELLOWORLD_GRPC: Final = "helloworld_grpc"
WEBSOCKET_ECHO: Final = "websocket_echo"
# The packages of sample_apps/ that an image may name.
APPS: Final = (HELLOWORLD_GO, HELLOWORLD_GRPC, WEBSOCKET_ECHO)
BUILT_IN: Final = "built-in"

_FIELDS: Final = ("image", "command", "app", "workdir", "env", "network", "reach")
HOST_NETWORK: Final = "host"
OWN_NETWORK: Final = "own"
_NETWORKS: Final = (OWN_NETWORK, HOST_NETWORK)
REACH_MAX: Final = 16  # ports that one program may name
_ENV_NAME: Final = re.compile(r"[^\s=\0]+")
# The last part of an image's name, the app that stands in for it, and whether its tags may
# misbehave. Knative's samples and conformance images of the same kind have other names.
_STAND_INS: Final = (
    ("helloworld-go", HELLOWORLD_GO, True),
    ("helloworld-grpc", HELLOWORLD_GRPC, True),
    ("grpc-ping", HELLOWORLD_GRPC, False),
    ("grpc-ping-go", HELLOWORLD_GRPC, False),
    ("websocket-echo", WEBSOCKET_ECHO, False),
    ("wsserver", WEBSOCKET_ECHO, False),
)
# The tag says how the app fails; the app's own docstring says what each does.
_MISBEHAVING: Final = ("bad", "slow", "slow-start", "crash", "never-ready")


class ImageMapError(KnaryError):
    """An image map that cannot be used. The message names the file, the entry and the field."""


class Program(Struct, frozen=True):
    """What runs for an image: an app of knary's own, forked, or a command, executed.

    Exactly one of `app` and `command` is given. `workdir` "" is the replica's private folder.
    `network` "host" keeps its replicas in this machine's network where others have their own.
    `reach` are the ports of this machine's loopback that are in a replica's own network too; None
    is the gateway's for the inside of the cluster.
    """

    app: str = ""
    command: tuple[str, ...] = ()
    workdir: str = ""
    env: dict[str, str] = {}
    network: str = OWN_NETWORK
    reach: tuple[int, ...] | None = None

    def describe(self) -> str:
        """Return one line for people: what is run, after the variables it is given."""
        variables = [f"{name}={value}" for name, value in self.env.items()]
        what = [f"sample app {self.app}"] if self.app else list(self.command)
        where = ["(network: host)"] if self.network == HOST_NETWORK else []
        return " ".join(variables + what + where)


class ImageRule(Struct, frozen=True):
    """References that match the GLOB `image` run `program`. `source` is a file, or "built-in"."""

    image: str
    program: Program
    source: str = BUILT_IN

    def matches(self, reference: str) -> bool:
        """Tell whether the GLOB fits the reference whole, without its digest, or without its tag.

        Case counts. `*` and `?` match "/" too, as in a shell's `case`.
        """
        forms = (reference, reference.partition("@")[0], name_of(reference))
        return any(fnmatch.fnmatchcase(form, self.image) for form in forms)


_NOTHING_PINNED: Final[Mapping[str, Program]] = {}


class ImageMap(Struct, frozen=True):
    """Rules in order; the first that matches decides.

    `flaw` is what is wrong with a file by now: its rules are those that were read before.
    """

    rules: tuple[ImageRule, ...] = ()
    flaw: str = ""

    def resolve(
        self, reference: str, pinned: Mapping[str, Program] = _NOTHING_PINNED
    ) -> Program | None:
        """Return the program of an image reference; None when no rule matches.

        `pinned` says what "name@sha256:HEX" stands for: a digest that is known runs what it was
        made of, whatever the rules say by now.
        """
        name, at, digest = reference.partition("@")
        if at and (program := pinned.get(f"{name_of(name)}@{digest}")) is not None:
            return program
        for rule in self.rules:
            if rule.matches(reference):
                return rule.program
        return None

    def before(self, other: ImageMap) -> ImageMap:
        """Return a map that asks this one first, then the other."""
        flaw = "; ".join(one for one in (self.flaw, other.flaw) if one)
        return ImageMap(self.rules + other.rules, flaw)

    def why_missing(self, what: str) -> str:
        """Return why an image that no rule matches is not run; a broken file may be the reason."""
        why = f"no program is mapped to {what}; see knary images"
        return f"{why} ({self.flaw}; the rules read before stay in force)" if self.flaw else why


def name_of(reference: str) -> str:
    """Return the reference without tag and digest. A registry's port is no tag."""
    name = reference.partition("@")[0]
    slash, colon = name.rfind("/"), name.rfind(":")
    return name[:colon] if colon > slash else name


def image_digest(reference: str, program: Program) -> str:
    """Return "name@sha256:HEX": the same for the same reference and program, always.

    A reference that has a digest already is returned as it is (without its tag, as Knative does).
    """
    name = name_of(reference)
    _, at, digest = reference.partition("@")
    if at:
        return f"{name}@{digest}"
    told = [
        reference,
        program.app,
        *program.command,
        program.workdir,
        *(f"{key}={value}" for key, value in sorted(program.env.items())),
    ]
    if (program.network, program.reach) != (OWN_NETWORK, None):
        told.append(f"network {program.network} {program.reach}")
    return f"{name}@sha256:{hashlib.sha256(chr(0).join(told).encode()).hexdigest()}"


def built_in() -> ImageMap:
    """Return the rules that knary brings: each stand-in of any registry, its bad tags first."""
    rules = []
    for name, app, may_misbehave in _STAND_INS:
        globs = (f"*/{name}", name)
        rules += [
            ImageRule(f"{glob}:{tag}", Program(app=app, env={"FAIL": tag}))
            for tag in (_MISBEHAVING if may_misbehave else ())
            for glob in globs
        ]
        rules += [ImageRule(glob, Program(app=app)) for glob in globs]
    return ImageMap(tuple(rules))


def parse_image_map(text: str, source: str) -> ImageMap:
    """Return the rules that a user's file holds: a YAML list, one entry per rule.

    `source` is the file's path: messages name it, and a relative `workdir` starts at its folder.
    Raise ImageMapError, which names the file, the entry (counted from 1) and the field.
    """
    import yaml

    from simulator.resources.manifests import why_not_yaml

    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ImageMapError(f"{source}: not YAML: {why_not_yaml(error, text)}{where}") from error
    except yaml.YAMLError as error:
        raise ImageMapError(f"{source}: not YAML: {_one_line(error)}") from error
    if document is None:
        return ImageMap()
    if not isinstance(document, list):
        raise ImageMapError(
            f"{source}: want a list of entries like"
            " `- {image: GLOB, command: [PROGRAM, ARGUMENT...]}`,"
            f" got {_kind(document)}"
        )
    return ImageMap(
        tuple(_rule(entry, number, source) for number, entry in enumerate(document, start=1))
    )


def _rule(entry: Any, number: int, source: str) -> ImageRule:
    """Return one entry as a rule. Raise ImageMapError."""
    where = f"{source}: entry {number}"
    if not isinstance(entry, dict):
        raise ImageMapError(f"{where}: want a map with image and command, got {_kind(entry)}")
    for key in entry:
        if key not in _FIELDS:
            raise ImageMapError(f"{where}: unknown field {key!r}; known are {', '.join(_FIELDS)}")
    image = _text(entry.get("image"), f"{where}: image", "a GLOB such as registry.example/shop/*")
    where = f"{where} ({image})"
    if ("command" in entry) == ("app" in entry):
        raise ImageMapError(f"{where}: want exactly one of command and app")
    app = ""
    if "app" in entry:
        app = _text(entry["app"], f"{where}: app", "a sample app").replace("-", "_")
        if app not in APPS:
            known = ", ".join(name.replace("_", "-") for name in APPS)
            raise ImageMapError(f"{where}: app: {entry['app']!r} is no sample app; known: {known}")
    workdir = ""
    if "workdir" in entry:
        chosen = _text(entry["workdir"], f"{where}: workdir", "a folder")
        workdir = str(PurePath(source).parent / chosen)
    return ImageRule(
        image=image,
        program=Program(
            app=app,
            command=_command(entry["command"], where) if "command" in entry else (),
            workdir=workdir,
            env=_env(entry.get("env"), where),
            network=_network(entry.get("network", OWN_NETWORK), where),
            reach=_reach(entry["reach"], where) if "reach" in entry else None,
        ),
        source=source,
    )


def _command(value: Any, where: str) -> tuple[str, ...]:
    """Return the argument list; it is never given to a shell."""
    if not isinstance(value, list) or not value:
        raise ImageMapError(
            f"{where}: command: want a list [PROGRAM, ARGUMENT...], got {_kind(value)}"
        )
    return tuple(
        _text(part, f"{where}: command[{index}]", "a text; quote numbers")
        if index == 0 or part != ""
        else ""
        for index, part in enumerate(value)
    )


def _env(value: Any, where: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ImageMapError(f"{where}: env: want a map of texts, got {_kind(value)}")
    for name, text in value.items():
        if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
            raise ImageMapError(f"{where}: env: {name!r} is no name for a variable")
        if not isinstance(text, str) or "\0" in text:
            raise ImageMapError(
                f"{where}: env.{name}: want a text, got {_kind(text)}; quote numbers"
            )
    return dict(value)


def _network(value: Any, where: str) -> str:
    if value not in _NETWORKS:
        raise ImageMapError(f"{where}: network: want {' or '.join(_NETWORKS)}, got {_kind(value)}")
    return str(value)


def _reach(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ImageMapError(f"{where}: reach: want a list of ports, got {_kind(value)}")
    for port in value:
        if type(port) is not int or not 0 < port < 65_536:
            raise ImageMapError(f"{where}: reach: want ports from 1 to 65535, got {_kind(port)}")
    if len(value) > REACH_MAX:
        raise ImageMapError(f"{where}: reach: at most {REACH_MAX} ports, got {len(value)}")
    return tuple(dict.fromkeys(value))


def _text(value: Any, where: str, wanted: str) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ImageMapError(f"{where}: want {wanted}, got {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    """Return what a value is, in a user's words."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return repr(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
