"""The loopback port for people and probes: `server` answers health and status."""
