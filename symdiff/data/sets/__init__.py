"""The data sets that have a name, one module a source; ``table`` lists them all."""
