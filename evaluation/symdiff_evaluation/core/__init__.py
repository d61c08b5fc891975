"""What every kind of samples shares: estimates, protocols, files, reports."""
