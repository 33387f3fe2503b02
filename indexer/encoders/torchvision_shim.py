"""Make `import torchvision` work where its compiled part does not fit the installed torch.

Beside a CPU-only torch, a torchvision wheel that was linked against CUDA cannot load its compiled
operators, and `import torchvision` fails with "operator torchvision::nms does not exist".
open_clip, timm and sentence-transformers import torchvision, but none of them calls those
operators here: images are decoded with Pillow. Declaring the two missing schemas is enough.
"""

import sys
from functools import cache

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@cache
def ensure_torchvision() -> bool:
    """Import torchvision; declare its missing operators first if, and only if, that fails.

    Returns True where the declarations were needed, False on a healthy install. Calls after the
    first cost nothing.

    Raises
    ------
    ImportError
        torchvision is not installed.
    RuntimeError
        torchvision fails for another reason than its missing operators.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    _forget("torchvision")
    _declare_operators()
    import torchvision  # noqa: F401

    return True


def _forget(package: str) -> None:
    """Drop a half-imported package, so that the next import runs it anew."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


@cache
def _declare_operators() -> object:
    """Declare the schemas; the cache keeps the library alive, for they vanish with it."""
    import torch

    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library
