"""Hits become a numbered, fenced, cited prompt for a language model."""
