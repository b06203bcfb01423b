"""`knary lint`: look at Knative objects and scenarios without a running knary."""

from __future__ import annotations

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.manifests import texts_of


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

    checked = [
        check_file(_decoded(text, name), name)
        for source in files
        for name, text in texts_of(source, below=True)
    ]
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


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: it is not UTF-8 ({error.reason})") from error
