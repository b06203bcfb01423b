"""`knary curl` and `knary url`: reach a service through the gateway without typing its host."""

from __future__ import annotations

import http.client
import sys
from http import HTTPStatus
from typing import Any

import click

from simulator.cli import output
from simulator.cli.exits import ReaderGone, UsageError
from simulator.cli.instance import Instance, host_and_port, instance_option, namespace_option
from simulator.cli.kinds import SERVICE
from simulator.cli.urls import Gateway, Reach, grpc_hint, reach_of
from simulator.client import NotRunning
from simulator.errors import KnaryError

READ_BYTES = 65_536


@click.command("url")
@click.argument("service")
@click.option("--tag", metavar="TAG", help="The address of a tagged revision.")
@namespace_option
@instance_option
def url(service: str, tag: str | None, namespace: str, instance: Instance) -> None:
    """Print the address of a service for a browser or curl on this machine.

    Where the service's port is named h2c, a line on standard error says how grpcurl calls it.

    \b
    Example:
      curl $(knary url helloworld-go)
    """
    found, reach = _found(instance, namespace, service, tag)
    output.line(reach.browser)
    if hint := grpc_hint(found, reach):
        output.note(hint)


@click.command("curl")
@click.argument("service")
@click.argument("path", default="/")
@click.option("-i", "--include", is_flag=True, help="Print the head of the answer too.")
@click.option("-d", "--data-raw", "body", metavar="TEXT", help="Body; makes it a POST.")
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="NAME: VALUE",
    help="Header to send. Repeatable.",
)
@click.option("-X", "--request", "method", metavar="METHOD", help="Method.")
@click.option("--tag", metavar="TAG", help="Ask the revision behind this tag.")
@click.option(
    "--max-time",
    type=click.FloatRange(min=0.001),
    default=300.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for bytes.",
)
@namespace_option
@instance_option
def curl(
    service: str,
    path: str,
    *,
    include: bool,
    body: str | None,
    headers: tuple[str, ...],
    method: str | None,
    tag: str | None,
    max_time: float,
    namespace: str,
    instance: Instance,
) -> None:
    """Send one request to a service through the gateway, and print the answer's body.

    A cluster-local service is asked where the gateway answers for the inside.

    \b
    Examples:
      knary curl helloworld-go
      knary curl shop /orders -i -d '{"item": 1}' -H 'Content-Type: application/json'
      knary curl helloworld-go --tag candidate
    """
    found, reach = _found(instance, namespace, service, tag)
    gateway = reach.gateway
    sent = _headers(headers, reach.host)
    host, port = host_and_port(gateway)
    connection = http.client.HTTPConnection(host, port, timeout=max_time)
    chosen = method or ("GET" if body is None else "POST")
    target = path if path.startswith("/") else f"/{path}"
    try:
        connection.request(chosen.upper(), target, None if body is None else body.encode(), sent)
        answer = connection.getresponse()
        _print(answer, include)
        if answer.status == HTTPStatus.BAD_GATEWAY and (hint := grpc_hint(found, reach)):
            output.note(hint)  # a gRPC server resets what is no call
    except ConnectionRefusedError as error:
        raise NotRunning.at(instance.data, f"nothing answers at {gateway}") from error
    except ValueError as error:  # http.client refuses control characters in the target
        raise UsageError(str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise KnaryError(f"{gateway}: {error or 'the answer was cut off'}") from error
    finally:
        connection.close()


def _found(
    instance: Instance, namespace: str, service: str, tag: str | None
) -> tuple[dict[str, Any], Reach]:
    """Return the service, and how to reach it."""
    description = instance.description()
    with instance.client() as client:
        found = client.get(SERVICE, namespace, service)
    return found, reach_of(found, tag, Gateway.of(description))


def _headers(lines: tuple[str, ...], host: str) -> dict[str, str]:
    headers = {"Host": host, "User-Agent": "knary", "Accept": "*/*"}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"-H wants 'NAME: VALUE', got '{line}'")
        headers[name.strip()] = value.strip()
    return headers


def _print(answer: http.client.HTTPResponse, include: bool) -> None:  # noqa: FBT001 (the flag)
    """Copy the answer to stdout as it comes: bytes as they are, except on a terminal."""
    if include:
        output.line(f"HTTP/1.1 {answer.status} {answer.reason}")
        for name, value in answer.getheaders():
            output.line(f"{output.clean(name)}: {output.clean(value)}")
        output.line()
    sys.stdout.flush()
    watched = sys.stdout.isatty()
    while data := answer.read1(READ_BYTES):
        shown = output.clean(data.decode("utf-8", "replace")).encode() if watched else data
        try:
            sys.stdout.buffer.write(shown)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise ReaderGone from None
