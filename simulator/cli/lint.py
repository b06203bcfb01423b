"""`knary lint`: look at Knative objects and scenarios without a running knary."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError

SUFFIXES = (".yaml", ".yml", ".json")
FILE_BYTES_MAX = 10 * 1024 * 1024
STDIN = "-"


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-...")
@click.option("--strict", is_flag=True, help="Advice fails, too.")
@click.option("-o", "--output", "form", type=click.Choice(["json"]), help="Form of the output.")
def lint(files: tuple[str, ...], form: str | None, *, strict: bool) -> int:
    """Check Knative objects and scenarios, offline: all that the API would refuse, and advice.

    Each finding is FILE:LINE:COLUMN. Objects of kinds that knary does not have are left alone.
    Ends with 1 when there is an error.

    \b
    Examples:
      knary lint service.yaml
      knary lint --strict k8s/ scenarios/
      kn service create hello --image example.com/hello --target - | knary lint -
    """
    from simulator.linting.files import check_file

    checked = [check_file(text, name) for name, text in _texts(files)]
    findings = [finding for one in checked for finding in one.findings]
    errors = sum(finding.level == "error" for finding in findings)
    if form:
        output.document(
            {
                "schema": "knary.lint/v1",
                "errors": errors,
                "advice": len(findings) - errors,
                "objects": sum(one.objects for one in checked),
                "scenarios": sum(one.scenarios for one in checked),
                "findings": [
                    {
                        "file": finding.file,
                        "line": finding.line,
                        "column": finding.column,
                        "level": finding.level,
                        "message": finding.message,
                    }
                    for finding in findings
                ],
            },
            form,
        )
    else:
        for finding in findings:
            output.line(finding.text)
        objects, scenarios, others = (
            sum(getattr(one, name) for one in checked)
            for name in ("objects", "scenarios", "others")
        )
        looked = f"{objects} objects and {scenarios} scenarios"
        left = f", {others} documents of other kinds left alone" if others else ""
        output.note(f"{errors} errors, {len(findings) - errors} advice in {looked}{left}.")
    return exits.FAILED if errors or (strict and findings) else exits.OK


def _texts(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each file; a folder's are found in all that is below it."""
    for given in files:
        if given == STDIN:
            yield "stdin", _decoded(sys.stdin.buffer.read(FILE_BYTES_MAX + 1), "stdin")
            continue
        path = Path(given)
        found = [path]
        if path.is_dir():
            found = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES)
        for file in found:
            try:
                with file.open("rb") as opened:
                    content = opened.read(FILE_BYTES_MAX + 1)
            except OSError as error:
                raise UsageError(f"cannot read {file}: {error.strerror}") from error
            yield str(file), _decoded(content, str(file))


def _decoded(content: bytes, name: str) -> str:
    if len(content) > FILE_BYTES_MAX:
        raise UsageError(f"{name}: larger than {FILE_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: it is not UTF-8 ({error.reason})") from error
