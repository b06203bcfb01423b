"""What each kind, part and field means, in our words, for `kubectl explain` and for editors. One
module per API: `serving`, `podspec`, `meta`, `core`, `workloads`, `networking`, `reviews`;
`meaning` has the form they are written in, and `everything` puts them together.
"""
