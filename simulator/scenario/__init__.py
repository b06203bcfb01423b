"""Scenarios: files that do what a user would do, send real requests, and judge what came back.

`reading` turns a YAML file into the steps of `model`, or says what is wrong where. `runner` plays
the steps in order through a `world` (the `knary` command, the Kubernetes API and HTTP: nothing
that a real cluster does not offer). `checks` judges what was observed, with the bounds of
`binomial` where chance decides, and writes the sentence to print; it is pure, as are `reading` and
`model`. A presenter shows it all as it happens: `plain` line by line, `terminal` in colour with
a live bar.
"""
