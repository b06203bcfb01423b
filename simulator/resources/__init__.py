"""The API types. One frozen struct per kind (`serving`, `pods`, `core`, `networking`), what all
kinds share (`meta`, `conditions`, `podspec`), and `scheme`, the one table of kinds.
"""
