"""The loop that every controller runs in: `reader` (what a controller may see), `plan` (what it
may ask for), `controller` and `workqueue` (when it runs), `apply` (how a plan is carried out).
"""
