"""Which revision gets the next request: `splitter` (the protocol and the choice by name),
`stratified` (the default: within one request of every share, unpredictable), `exact`
(deterministic, the least possible lag), `independent` (a coin flip, as Knative), `smooth`, `edf`,
`stride` and `hashing` (as nginx, Envoy and Traefik, gRPC, and nginx's split_clients do it), and
`credit`, which carries what each target is owed over a change of weights.
"""
