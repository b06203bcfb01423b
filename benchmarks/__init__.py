"""Programs that measure knary, and `harness`, which `knary bench` brings to everybody.

The programs at the top are for this repository (README.md here) and run by `make bench-...`.
"""
