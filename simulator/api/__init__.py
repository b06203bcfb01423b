"""The Kubernetes-shaped HTTP surface: `server` (HTTP in and out), `access` and `guard` (who may
ask), `paths`, `queries`, `options` and `listoptions` (what is asked), `reads`, `writes`,
`patches`, `deletes`, `watch` and `logs` (one function per verb), `reviews` (creates that only
ask), `bodies` and `protobuf` (what clients send), `patched` and `applying` (what their patches
make of an object), `drafts` and `storing` (its way into the store), `discovery` and `openapi`
(what the API is), `tables`, `negotiation` and `documents` (what they get), `lines` (events
encoded once), `streams` (answers that never end), `paging` (lists in pages), `exchange` (a
request and an answer without HTTP), `settings` (its bounds).
"""
