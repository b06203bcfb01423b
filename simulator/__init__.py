"""The control plane: the Kubernetes-style API, the store, the controllers, the supervisor of
local processes, scenarios, and the command line. It knows the data plane by `gateway.contract`.
"""
