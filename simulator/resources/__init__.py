"""The API types. One frozen struct per kind (`serving`, `core`, `networking`), what all kinds share
(`meta`, `conditions`, `podspec`), and `scheme`, the one table of kinds. How clients' texts become
objects: `documents` (JSON), `manifests` (YAML), `shapes` and `decoding` (documents to objects).
What Kubernetes and Go say of values: `names`, `durations`, `wording`.
"""
