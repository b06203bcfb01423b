"""The replicas' logs on disk, as all who touch them see them.

`files` says which files there are per replica, `marks` when each line was written, `reading` what
of a log is wanted and how it is read. The launcher writes (`simulator.launcher.logs`); the API and
`knary logs` read.
"""
