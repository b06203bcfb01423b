"""Towards the clients: `h1`, one HTTP/1.1 connection."""
