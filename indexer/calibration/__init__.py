"""Measures at build time what is chance in an index, so that searches can say "nothing found"."""
