"""Knative's ConfigMaps in `knative-serving`, read into typed values. `current` is the one table of
the maps that are known and gives them all as one `Config`; one module per map; `parsing` has Go's
readers of values with their words, `templates` the part of Go's templates that hosts need. A map
with a bad value is refused at admission, so that what is stored can be read. All pure.
"""
