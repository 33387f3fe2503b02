"""Phantoms: anatomy-like pictures drawn from a few parameters, one module a kind of image."""
