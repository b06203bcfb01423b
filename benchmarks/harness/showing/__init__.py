"""`knary bench show`: one document as a table, as a page, and held to thresholds."""
