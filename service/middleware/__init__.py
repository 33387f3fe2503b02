"""What every request passes through: limits, keys, logs, counts. Plain ASGI, no bodies kept."""
