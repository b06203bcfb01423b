"""How the gateway's modules in this process were built. They themselves say so: by their files."""

from __future__ import annotations

from pathlib import Path

from gateway import exchange


def compiled() -> bool:
    """Tell whether this process runs the compiled modules."""
    return Path(exchange.__file__).suffix != ".py"


def build() -> str:
    """Return "interpreted", or like "compiled (mypyc 1.18.2)".

    By what: that ends the name of the folder that holds the compiled modules, as packages do.
    """
    if not compiled():
        return "interpreted"
    return f"compiled (mypyc {Path(exchange.__file__).parents[1].name.partition('-')[2]})"
