"""The API types. One frozen struct per kind (`serving`, `core`, `networking`), what all kinds share
(`meta`, `conditions`, `podspec`), and `scheme`, the one table of kinds. How clients' texts become
objects: `documents` (JSON), `manifests` (YAML), `decoding` and `cleaning` (documents to objects, by
`shapes`, `podparts` and `schemarules`; `gotypes` and `quantities` are Go's part of it).
What Kubernetes and Go say of values: `names`, `durations`, `wording`.
"""
