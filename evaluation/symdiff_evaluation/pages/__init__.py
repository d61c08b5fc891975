"""What the report shows of each kind of structure."""
