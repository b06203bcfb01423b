"""`knary service`: kn's commands for services."""

from __future__ import annotations

from simulator.cli.lazy import Entry, LazyGroup

_HERE = "simulator.cli."

service = LazyGroup(
    name="service",
    entries={
        "create": Entry(_HERE + "service_edit", "create", "Create a service."),
        "update": Entry(_HERE + "service_edit", "update", "Change a service or its traffic."),
        "list": Entry(_HERE + "service_list", "list_", "List services.", ("ls",)),
        "describe": Entry(_HERE + "service_describe", "describe", "Show a service's details."),
        "delete": Entry(_HERE + "service_list", "delete", "Delete services."),
        "wait": Entry(_HERE + "service_list", "wait", "Wait until a service is ready."),
    },
    help="""Manage services with kn's flags.

    \b
    Example:
      knary service update helloworld-go --traffic helloworld-go-00001=50,@latest=50
    """,
)
