"""The `knary` command. `main` is the entry and the table of commands; each command's module is
loaded when it is asked for (`lazy`). Commands find their instance through `instance`, print
through `output`, and end as `exits` says. Pure parts: `traffic` (kn's traffic flags), `template`
(kn's other flags), `hints`, `merging` (kubectl's apply), `kinds`, `tabs`, `urls`, `rollback`.
"""
