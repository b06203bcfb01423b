"""Requests in Kubernetes' protobuf, read into the documents that JSON would have been: `wire`
(bytes to numbered fields), `messages` (tables of fields, and documents by them), `metadata`,
`pods` and `kinds` (the tables), `envelope` (what a body is wrapped in).
"""
