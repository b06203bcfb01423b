"""What a worker counts, at next to no cost, and the shared file through which others read it.

`cell` is what exchanges add to, `figures` what belongs to the worker as a whole; `registry` hands
cells out and writes them, ten times a second, into the `file` whose `layout` both planes know.
`histogram` says which durations share a bucket.
"""
