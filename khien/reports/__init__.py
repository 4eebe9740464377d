"""Documents made from the store, one format a file."""
