"""Generic graphs as samples: what they look like, which rule they follow, which of them are the same."""
