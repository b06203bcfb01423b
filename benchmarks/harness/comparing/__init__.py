"""`knary bench compare`: whether one run is better than another, as far as their samples tell.

`points` makes the same of every kind of document, `ratios` has the statistics, `judging` pairs what
belongs together and says a word for it (all pure); `command` reads, prints and ends.
"""
