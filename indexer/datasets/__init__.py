"""The ten datasets: one module each, discovered by itself; `registry` finds them by name."""
