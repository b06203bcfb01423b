"""benchmarks/RESULTS.md, made of what the short set of benchmarks measured.

`page` writes the Markdown, the losses first; `ranking` says what is lost and won by intervals;
`charts` draws. All pure; `benchmarks/results.py` measures and writes.
"""
