"""Start the WebSocket server. What it needs is imported by the process that serves."""

from __future__ import annotations

from sample_apps.starting import run


def main() -> int:
    """Serve until SIGTERM; return the exit status."""
    from sample_apps.websocket_echo.server import serve

    return run("websocket-echo", serve)
