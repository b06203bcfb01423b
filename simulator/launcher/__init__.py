"""The fork server: one process that starts, signals and reaps every replica.

`main` wires it; `server` is its loop; `replicas` what runs; `forking` the moment of birth; `logs`
keeps the replicas' output bounded; `sweep` ends what an earlier run left behind; `protocol` is what
it speaks, and `client` the control plane's side of that.

Beside it lives the `keeper` of the replicas' own networks, started and started again by `networks`
(they speak `keeping`). It hands out sockets made in there, to the gateway and to `sockets`, the
control plane's side of that, and forwards from there to ports of this machine (`outward`).
"""
