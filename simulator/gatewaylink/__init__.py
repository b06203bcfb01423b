"""How the gateway's workers learn what to serve: `publisher` compiles a table from the store
whenever it changes, `link` gives it to every worker over a Unix socket and knows what each has
acknowledged, `frames` is the table on the wire; then the publisher marks Ingresses ready and lets
go of drained Pods.
"""
