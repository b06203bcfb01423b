"""`knary images`: which programs image names stand for."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option
from simulator.errors import KnaryError


@click.command("images")
@click.argument("reference", required=False)
@click.option(
    "--images",
    "extra",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Another map to ask first, as in `knary up --images`.",
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["json", "yaml"]), help="Form of the output."
)
@instance_option
def images(reference: str | None, extra: Path | None, form: str | None, instance: Instance) -> None:
    """Show what can be run: the first rule whose pattern fits an image decides.

    Rules of your own stand in images.yaml in the data folder, or in `knary up --images FILE`: a
    list of {image: GLOB, command: [PROGRAM, ARGUMENT...], workdir, env, network, reach}.

    \b
    Examples:
      knary images
      knary images registry.example/shop/cart:v2
    """
    from simulator.imagefile import ImageFile
    from simulator.images import ImageMapError, ImageRule

    path = instance.paths.images
    try:
        rules = ImageFile(path, extra).current().rules
    except ImageMapError as error:
        stays = "; a knary that runs keeps the rules that it read before"
        raise KnaryError(f"{error}{stays}") from error
    if reference is not None:
        rules = tuple(rule for rule in rules if rule.matches(reference))[:1]
        if not rules:
            raise click.ClickException(
                f'no program is mapped to image "{reference}"; add a rule to {path}'
            )

    def row(rule: ImageRule) -> list[str]:
        return [rule.image, rule.program.describe(), rule.source]

    if form:
        keys = ("image", "program", "source")
        output.document([dict(zip(keys, row(rule), strict=True)) for rule in rules], form)
        return
    output.table([["IMAGE", "PROGRAM", "FROM"], *(row(rule) for rule in rules)])
    if reference is None:
        output.note(f"Rules of your own go into {path}")
