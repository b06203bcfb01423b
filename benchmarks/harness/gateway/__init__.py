"""`knary bench gateway`: open-loop load on a gateway that says which revision answered.

`command` reads what the user wants into a `plan`; `subjects` finds or starts what is measured and
`rivals` its peers, each a `contender`; `run` gives them their turns, pair by pair, and `turns`
carries one out. `figures` and `deviation` make numbers of what was counted (pure), and `telling`
words.
"""
