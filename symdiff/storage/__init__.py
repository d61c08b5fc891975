"""Files and folders that are whole or not there, and never larger than expected: checkpoints, states of a run, samples."""
