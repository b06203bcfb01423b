"""What `knary bench` runs: splitters compared without a network, gateways measured with one.

`command` is its entry. The rest of knary never imports it, so that nobody pays for what only
measuring needs (numpy, and matplotlib where it is installed).
"""
