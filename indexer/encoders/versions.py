"""Versions of the libraries whose change may change an embedding's last bits."""

from importlib.metadata import version


def library_versions(*distributions: str) -> dict[str, str]:
    """Return the versions of torch and of `distributions`, each by its first two numbers."""
    return {name: _release(version(name)) for name in ("torch", *distributions)}


def _release(text: str) -> str:
    return ".".join(text.split("+")[0].split(".")[:2])
