"""From a Route's traffic to what the gateway is told. `targets` resolves traffic entries to
revisions, or says why it cannot; `domains` names the hosts; `ingress` puts both into the Ingress
that the publisher serves. All pure.
"""
