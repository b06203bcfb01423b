"""The `knary` command: makes knary's own folders importable, then hands over to the CLI."""

import sys

from knary.inside import enter


def main() -> None:
    """Run the command line; the exit status is the command's."""
    enter()
    from simulator.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
