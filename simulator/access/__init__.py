"""The client's side of the API, without a web framework: `kubeconfig` (where and as whom),
`resource` (paths), `streaming` and `watch` (answers that never end), `waiting` (kn's rules for
Ready), `errors`. The client itself is simulator/client.py.
"""
