"""What ships with the app: our network, and algorithms without weights."""
