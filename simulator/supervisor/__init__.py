"""Pods as local processes: `supervisor` follows Pods and the launcher, `replica` lives one Pod's
life by the table in `lifecycle`, `probing` asks the process how it does by the rules in `probes`.
Pure beside them: `environment` (what a process is given) and `status` (what a Pod's status says).
"""
