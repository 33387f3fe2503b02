"""Records, datasets, pixels, encoders and the on-disk index format: its writer and its reader."""
