"""Start the gRPC server, or say in one line why that cannot be.

grpcio is imported by the process that serves and by no other: it starts threads, and none of them
would survive a fork.
"""

from __future__ import annotations

from sample_apps.starting import complain, run

NAME = "helloworld-grpc"


def main() -> int:
    """Serve until SIGTERM; return the exit status."""
    try:
        from sample_apps.helloworld_grpc.server import serve
    except ImportError as error:
        complain(f"{NAME}: {error}; gRPC apps need an extra: pip install 'knary[grpc]'")
        return 1
    return run(NAME, serve)
