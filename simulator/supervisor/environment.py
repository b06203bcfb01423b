"""What a replica's process is given: its environment and its argument list. Pure.

The environment is built from nothing: PATH, HOME and LANG of knary's own, TMPDIR, then the image
map's variables, the container's (Knative's K_SERVICE, K_CONFIGURATION and K_REVISION are among
them), and PORT. A later one of the same name replaces an earlier one.
Source: Kubernetes `third_party/forked/golang/expansion` for $(NAME).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from msgspec import Struct

from simulator.errors import KnaryError
from simulator.images import OWN_NETWORK, Program
from simulator.launcher.protocol import Executable, ForkedApp, Network, Spawn
from simulator.resources.core import Pod
from simulator.resources.podspec import DEFAULT_USER_PORT, Container, Free
from simulator.resources.serving import serving_container
from simulator.supervisor.settings import SupervisorSettings

_REFERENCE: Final = re.compile(r"\$\$|\$\(([^()]*)\)")


class Place(Struct, frozen=True):
    """A replica's own paths: its private folder, the one for temporary files, and its log."""

    folder: str
    temporary: str
    log: str


class ConfigError(KnaryError):
    """The container cannot be started as it is written; Kubernetes waits for a better world."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) by the variable; an unknown one stays, and $$ stands for one $."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def environment(
    inherited: Mapping[str, str], folder: str, program: Program, container: Container, port: int
) -> dict[str, str]:
    """Return the whole environment of the process. Raise ConfigError for what it cannot have.

    $(NAME) in a container's value means a variable of the container that came before it.
    """
    variables = {**inherited, "TMPDIR": folder, **program.env}
    for source in container.env_from:
        for reference, kind in (
            (source.config_map_ref, "configmap"),
            (source.secret_ref, "secret"),
        ):
            _demand_optional(reference, kind)
    own: dict[str, str] = {}
    for variable in container.env:
        if variable.value_from is not None:
            for field, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
                _demand_optional(variable.value_from.get(field), kind)
            continue
        if not variable.name or "=" in variable.name or "\0" in variable.name + variable.value:
            raise ConfigError(f"invalid environment variable {variable.name!r}")
        own[variable.name] = expand(variable.value, own)
    return {**variables, **own, "PORT": str(port)}


def _demand_optional(reference: Free | None, kind: str) -> None:
    """Refuse a reference to an object that knary does not keep, unless it may be absent."""
    if isinstance(reference, dict) and not reference.get("optional"):
        raise ConfigError(f'{kind} "{reference.get("name", "")}" not found')


def invocation(
    program: Program, container: Container, variables: Mapping[str, str]
) -> ForkedApp | Executable:
    """Return what is run: the container's command in place of the image's, then its args.

    $(NAME), also $(PORT), is expanded in both, and in the image map's command.
    """
    arguments = tuple(expand(one, variables) for one in container.args)
    if container.command:
        return Executable(tuple(expand(one, variables) for one in container.command) + arguments)
    if program.app:
        return ForkedApp(program.app, arguments)
    return Executable(tuple(expand(one, variables) for one in program.command) + arguments)


def working_folder(program: Program, container: Container, private: str) -> str:
    """Return where the process starts: the container's folder, the map's, or its private one.

    An app of knary's own starts in its private folder: `/app` of some image means nothing to it.
    """
    if program.app and not container.command:
        return private
    return str(PurePath(private, program.workdir, container.working_dir))


def container_port(container: Container) -> int:
    """Return the port that the container listens on: the one it names, or Knative's 8080."""
    named = container.ports[0].container_port if container.ports else None
    return named or DEFAULT_USER_PORT


def network_of(
    program: Program, container: Container, settings: SupervisorSettings
) -> Network | None:
    """Return the network that the replica is to have of its own; None is this machine's.

    Its own port is never one that leads out.
    """
    if not settings.own_networks or program.network != OWN_NETWORK:
        return None
    reach = settings.reach if program.reach is None else program.reach
    return Network(tuple(port for port in reach if port != container_port(container)))


def order(
    pod: Pod,
    program: Program,
    port: int,
    place: Place,
    inherited: Mapping[str, str],
    network: Network | None = None,
) -> Spawn:
    """Return the launcher's order for a Pod's process. Raise ConfigError."""
    container = serving_container(pod.spec)
    variables = environment(inherited, place.temporary, program, container, port)
    return Spawn(
        id=pod.uid,
        program=invocation(program, container, variables),
        environment=variables,
        folder=working_folder(program, container, place.folder),
        log=place.log,
        port=port,
        network=network,
    )
