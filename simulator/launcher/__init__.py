"""The fork server: one process that starts, signals and reaps every replica.

`main` wires it; `server` is its loop; `replicas` what runs; `forking` the moment of birth; `logs`
keeps the replicas' output bounded; `sweep` ends what an earlier run left behind; `protocol` is what
it speaks, and `client` the control plane's side of that.
"""
