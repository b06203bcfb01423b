"""The entrants: `roster` has all of them, `entrant` says what one is.

The gateway's own splitters come from its `make_splitter` (`ours`); those of the tournament alone
are in `rounds`, `lowdiscrepancy`, `drawn`, `deadlines` and `consistent`. Each has its scalar form,
which is the algorithm, and a numpy form that deals the same turns to many runs at once; of
`stratified` that is in `stratifying`. `dice` gives numpy the numbers of Python's generators.
"""
