"""`knary bench splitters`: how splitting algorithms do without a network.

`command` is the command, `families` the worst lag over whole families of splits.
"""
