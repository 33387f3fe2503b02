"""The image tower that medsearch brings along: its network, its weights and its model card."""
