"""Files and folders that are whole or not there, and never larger than expected: sealed folders, checkpoints, states of a run."""
