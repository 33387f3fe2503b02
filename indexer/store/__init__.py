"""The on-disk index format: immutable builds, their writer and their reader."""
