"""One file per model family; each offers `load(weights, device)` and answers with a table of operations."""
