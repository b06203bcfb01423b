"""What can be said of a file without a running knary: `manifests` has Knative's own reasons to
refuse an object, `scenarios` the flaws of a scenario, and both give advice where something is
allowed and does not do what one may think. `files` tells which of the two a document is. All pure.
"""
