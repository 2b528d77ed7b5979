"""Who could: what may be asked of a model (roles), which there are (catalog), where they lie (store)."""
