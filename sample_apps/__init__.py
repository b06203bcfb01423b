"""Programs that stand in for well-known images: `helloworld_go`, Knative's first sample. They
import nothing of `gateway` and `simulator`, and each runs alone.
"""
