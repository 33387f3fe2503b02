"""A ViT-B/16 at 224 px with random weights: the cost of BiomedCLIP's image tower, no download."""

import json
from pathlib import Path

_DIM = 512


def write_vit_folder(folder: Path) -> Path:
    """Write the model in open_clip's format and return the folder.

    Tower sizes: Dosovitskiy et al. 2021, table 1 (ViT-Base); the text tower is a small one, for
    captions are embedded by MiniLM.
    """
    import torch

    from indexer.encoders.torchvision_shim import ensure_torchvision

    ensure_torchvision()
    import open_clip
    from safetensors.torch import save_file

    config = {
        "embed_dim": _DIM,
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 1,
        },
    }  # fmt: skip
    preprocess = {"resize_mode": "squash", "mean": [0.5] * 3, "std": [0.5] * 3}
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}), "utf-8"
    )
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder
