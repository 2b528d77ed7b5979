"""Who could: what may be asked of a model (roles), which models there are (catalog), where they lie (store)."""
