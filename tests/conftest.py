"""Fixtures that every test may use; see tests/support for the helpers."""
