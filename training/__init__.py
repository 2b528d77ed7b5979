"""How our own network is made: worlds rendered on a GPU, the network, its training, measurement and export."""
