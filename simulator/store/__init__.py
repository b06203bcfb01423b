"""The versioned object store, the control plane's only bus: `objects` (the Store), `transitions`
(pure: what a write makes of an object, or why it is refused), `indexes` (committed objects in
memory), `watching` (the event history and who follows it), `database` and `schema` (the SQLite
file), `settings` (its bounds), and for the API `patching`, `strategic` and `selectors`.
"""
