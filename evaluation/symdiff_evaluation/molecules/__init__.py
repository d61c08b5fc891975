"""Molecular graphs: reading, judging, metrics, report pages."""
