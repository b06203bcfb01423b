"""Scenarios: files that do what a user would do, send real requests, and judge what came back.

`reading` turns a YAML file into the steps of `model`, or says what is wrong where (`flaws`).
`runner` plays the steps in order through a `world` (the `knary` command, the Kubernetes API and
HTTP: nothing that a real cluster does not offer), with `running` for loads in the background.
`checks` judges what was observed, with the bounds of `binomial` where chance decides, and writes
the sentence to print. `present` shows it all line by line, `terminal` in colour with a live bar
(`bars`). `stage` is an instance of the scenario's own; `theatre` puts everything together.
`model`, `reading`, `flaws`, `checks`, `binomial` and `bars` are pure.
"""
