"""Knative canary releases on one machine, without a cluster.

The only name that knary adds to an environment. The data plane (`gateway`), the control plane
(`simulator`), the sample apps and the scenarios travel beside it and are importable in knary's
own processes alone, so a package of yours called `gateway` stays yours.
"""

__version__ = "0.1.0"
