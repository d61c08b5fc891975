"""Metrics: each maps samples and a reference to estimates by id."""
