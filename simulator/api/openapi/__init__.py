"""The OpenAPI documents, made from the structs of `resources` and nothing else: `schemas` (a struct
as a schema), `facts` (what a CustomResourceDefinition says beyond types), `words` (what each field
means), `operations` (paths and verbs), `documents` (one per group and version, and the index).
"""
