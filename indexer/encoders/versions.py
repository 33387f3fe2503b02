"""Versions of the libraries whose change may change an embedding's last bits."""


def torch_version() -> dict[str, str]:
    """Return torch's version by its first two numbers, without the build's tag."""
    import torch

    return {"torch": ".".join(torch.__version__.split("+")[0].split(".")[:2])}
