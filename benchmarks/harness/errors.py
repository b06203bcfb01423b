"""What can go wrong while measuring."""

from simulator.errors import KnaryError


class BenchmarkError(KnaryError):
    """Something that a measurement needs did not work."""
