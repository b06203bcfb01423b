"""The entry of the `knary` command: the table of commands, and how each outcome is reported."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from simulator.cli import exits
from simulator.cli.lazy import Entry, LazyGroup
from simulator.errors import KnaryError

_HERE = "simulator.cli."

COMMANDS = {
    "up": Entry(_HERE + "up", "up", "Start knary; it runs until Ctrl-C."),
    "demo": Entry(_HERE + "demo", "demo", "Play the canary story with real requests."),
    "status": Entry(_HERE + "status", "status", "Show where knary answers and what runs."),
    "down": Entry(_HERE + "up", "down", "Stop the running knary."),
    "restart-workers": Entry(
        _HERE + "up", "restart_workers", "Replace the gateway's workers, losing no request."
    ),
    "gateway": Entry(
        _HERE + "gateway", "gateway", "Split requests among your own processes, as a file says."
    ),
    "doctor": Entry(_HERE + "doctor", "doctor", "Check whether this machine can run knary."),
    "service": Entry(
        _HERE + "service",
        "service",
        "Create, update, list, describe and delete services, with kn's flags.",
        ("ksvc", "services"),
    ),
    "revision": Entry(_HERE + "revision", "revision", "List revisions.", ("revisions", "rev")),
    "route": Entry(_HERE + "route", "route", "List routes.", ("routes", "rt")),
    "domain": Entry(_HERE + "domain", "domain", "Map domains onto services.", ("domains",)),
    "rollback": Entry(_HERE + "rollback", "rollback", "Send all traffic to an older revision."),
    "curl": Entry(_HERE + "curl", "curl", "Send a request to a service through the gateway."),
    "url": Entry(_HERE + "curl", "url", "Print the address of a service for a browser."),
    "apply": Entry(_HERE + "apply", "apply", "Create or change objects as manifests say."),
    "get": Entry(_HERE + "get", "get", "Show objects of any kind."),
    "describe": Entry(_HERE + "describe", "describe", "Show one object with its events."),
    "delete": Entry(_HERE + "delete", "delete", "Delete objects."),
    "fault": Entry(_HERE + "fault", "fault", "Let things go wrong on purpose.", ("faults",)),
    "logs": Entry(_HERE + "logs", "logs", "Show what a service, revision or pod printed."),
    "reset": Entry(_HERE + "reset", "reset", "Lead everything back to how it began."),
    "snapshot": Entry(_HERE + "snapshot", "snapshot", "Save the state in a file, restore it."),
    "wait": Entry(_HERE + "wait", "wait", "Wait until knary answers, or a service is ready."),
    "exec": Entry(_HERE + "exec", "exec_", "Run a command with a knary of its own."),
    "images": Entry(_HERE + "images", "images", "Show which programs image names stand for."),
    "run": Entry(_HERE + "run", "run", "Play a scenario file and judge it."),
    "lint": Entry(_HERE + "lint", "lint", "Check manifests and scenarios, offline."),
    "load": Entry(_HERE + "load", "load", "Send steady load and show who answered."),
    "assert-split": Entry(
        _HERE + "assert_split", "assert_split", "Tell whether requests are split as asked."
    ),
    "top": Entry(_HERE + "top", "top", "Show requests, errors and latency by revision."),
    "bench": Entry(
        "benchmarks.harness.command", "bench", "Compare splitters, and measure gateways under load."
    ),
    "kubeconfig": Entry(_HERE + "status", "kubeconfig", "Print the path of the kubeconfig."),
    "completion": Entry(_HERE + "completion", "completion", "Print a shell's completion script."),
    "version": Entry(_HERE + "completion", "version", "Print knary's version."),
}

_HELP = """Knative canary releases on one machine, without a cluster.

\b
Examples:
  knary up
  knary service create helloworld-go --image example.com/helloworld-go
  knary curl helloworld-go
"""


@click.command(
    "knary",
    cls=LazyGroup,
    entries=COMMANDS,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.option("--data", metavar="DIR", help="Data folder of the instance, for any command.")
@click.option("--version", is_flag=True, help="Print knary's version.")
@click.pass_context
def knary(ctx: click.Context, data: str | None, version: bool) -> None:  # noqa: FBT001 (click's)
    ctx.obj = data
    if version:
        from simulator.cli.completion import print_version

        print_version()
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status. Errors are told on stderr, in a line or two."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = knary.main(given, prog_name="knary", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:  # `knary service`: what can follow?
        click.echo(error.format_message())
        return exits.OK
    except click.UsageError as error:
        return _report(error.format_message(), exits.USAGE, _help_hint(error.ctx))
    except click.ClickException as error:
        return _report(error.format_message(), exits.FAILED)
    except exits.UsageError as error:
        return _report(str(error), exits.USAGE)
    except KnaryError as error:
        from simulator.cli.hints import way_out

        return _report(str(error), exits.status_of(error), way_out(error))
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except exits.ReaderGone:
        # What is still buffered has nowhere to go, at the exit of the interpreter either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _report(f"{where}{error.strerror or error}", exits.FAILED)
    except Exception as error:  # the last resort
        return _report_bug(error)
    return result if isinstance(result, int) and not isinstance(result, bool) else exits.OK


def _report(message: str, status: int, hint: str = "") -> int:
    from simulator.cli.output import clean, is_coloured

    word = "\x1b[31mError:\x1b[0m" if is_coloured(sys.stderr) else "Error:"
    text = clean(message).rstrip()
    # A message of several parts may bring its own word for each ("Error: a\nError: b", as kn).
    click.echo(f"{word} {text.removeprefix('Error: ')}", err=True)
    if hint:
        click.echo(hint, err=True)
    return status


def _help_hint(ctx: click.Context | None) -> str:
    return f"See '{ctx.command_path} --help'" if ctx else ""


def _report_bug(error: Exception) -> int:
    """Keep the traceback in a file, and say where it is."""
    import tempfile
    import traceback

    folder = Path(tempfile.mkdtemp(prefix="knary-error-"))
    path = folder / "traceback.txt"
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    moment = time.strftime("%H:%M:%S")
    return _report(f"a bug in knary, at {moment}: {what}", exits.FAILED, f"Details are in {path}")
