"""Who computes: processes that run one model each, around them nothing of ours but this folder."""
