"""How a command finds its instance: `--data DIR`, else KNARY_DATA, else the user's data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from simulator.access.elsewhere import Elsewhere, told
from simulator.cli import output
from simulator.client import ApiClient, NotRunning
from simulator.errors import KnaryError
from simulator.instance.paths import InstancePaths, default_data_folder

CONSOLE_TIMEOUT_S = 10.0

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Instance:
    """One knary, by its data folder; it may not be running."""

    data: Path
    elsewhere: Elsewhere | None = None

    @property
    def paths(self) -> InstancePaths:
        return InstancePaths(self.data)

    def client(self) -> ApiClient:
        """Return a client of its API. Raise NotRunning."""
        if (there := self.elsewhere) is not None:
            return ApiClient.from_kubeconfig(there.kubeconfig, output.warn, there.context)
        return ApiClient.from_kubeconfig(self.paths.kubeconfig, warn=output.warn)

    def description(self) -> Mapping[str, Any]:
        """Return `run/instance.json`: where it answers. Raise NotRunning when there is none."""
        if self.elsewhere is not None:
            return {"gateway": self.elsewhere.gateway, "workers": 1}
        try:
            found = json.loads(self.paths.description.read_bytes())
        except FileNotFoundError:
            raise NotRunning.at(self.data, "nothing runs there") from None
        except (OSError, ValueError) as error:
            raise KnaryError(f"cannot read {self.paths.description}: {error}") from error
        return dict(found)

    def console(self, path: str, method: str = "GET", document: bytes = b"") -> Any:
        """Return the JSON that the console's port answers. Raise NotRunning, KnaryError."""
        return json.loads(self.console_bytes(path, method, document))

    def console_bytes(self, path: str, method: str = "GET", document: bytes = b"") -> bytes:
        """Return what the console's port answers, whole. Raise NotRunning, KnaryError."""
        import http.client

        if self.elsewhere is not None:
            raise KnaryError("this asks knary itself; a cluster has nothing that answers it")
        address = str(self.description()["console"])
        host, port = host_and_port(address)
        connection = http.client.HTTPConnection(host, port, timeout=CONSOLE_TIMEOUT_S)
        try:
            token = self.paths.token.read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {token}"}
            if document:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, document or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotRunning.at(self.data, f"nothing answers at {address}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise KnaryError(_told(body) or f"{address}{path} answered {answer.status}")
        return body


def _told(body: bytes) -> str:
    """Return the message of a Kubernetes Status, "" when it is none."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def host_and_port(address: str) -> tuple[str, int]:
    """Return both parts of a base URL like "http://127.0.0.1:8080"."""
    parts = urlsplit(address)
    return parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)


def _to_instance(ctx: click.Context, _option: click.Parameter, value: str | None) -> Instance:
    chosen = value or (ctx.obj if isinstance(ctx.obj, str) else None)
    data = Path(chosen).expanduser().absolute() if chosen else default_data_folder(os.environ)
    return Instance(data, None if chosen else told(os.environ))


def instance_option(command: Command) -> Command:
    """Give a command `--data`; it receives the Instance as `instance`."""
    return click.option(
        "--data",
        "instance",
        metavar="DIR",
        callback=_to_instance,
        help="Data folder of the instance [default: $KNARY_DATA, else ~/.local/share/knary].",
    )(command)


def namespace_option(command: Command) -> Command:
    """Give a command `-n/--namespace`."""
    return click.option(
        "-n", "--namespace", default="default", metavar="NS", show_default=True, help="Namespace."
    )(command)
