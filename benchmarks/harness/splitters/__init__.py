"""`knary bench splitters`: the tournament of splitting algorithms, without a network.

`command` is the command and `tournament` what it plays: `algorithms` deal turns, and `measures`,
`theory`, `working` (several workers), `changing` (new weights, new beginnings), `families` (all
splits of a kind) and `cost` judge them. `presenting` makes the tables, `reporting` the document.
`weights` reads what users write.
"""
