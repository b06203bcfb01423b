"""Who wrote which field (`metadata.managedFields`), and server-side apply, which rests on it.

From the ground: `elements` and `fieldset` (paths and sets of them), `schema` (what a kind's lists
and maps are), `values` (a document's fields), `checking`, `comparing`, `merging`, `managers` (the
entries as clients see them), `conflicts`, `lastapplied`, and `tracking`, which the API and the
store call. All of it is pure. Sources: KEP-555; structured-merge-diff's and apimachinery's rules.
"""
