"""Graphs in files, one reader a format, for training data and for samples alike."""
