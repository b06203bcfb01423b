"""One reconciler per kind, each `observe` and a pure `plan`; `all.build` makes the whole set.

`service`, `configuration`, `revision` (with `replicas`, its Pods, and `health`, its conditions),
`route` (with `placeholders`, its Services) and `labeler` carry a manifest down to Pods and an
Ingress and the facts back up. `deployment`, `revisionservices`, `endpoints`, `endpointslices` (by
`addresses` and `slicing`) and `serviceaccounts` make what a cluster's users look at beside;
`podtemplate` and `imagecaches` are theirs and Pods'.
`podevents` tells what happens to Pods. `garbage` (dependents of what was deleted), `retention` (old
revisions), `namespaces` and `events` clean up. `references` tells which routes a change
concerns. They meet in the store only.
"""
