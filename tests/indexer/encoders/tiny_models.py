"""Small random models, each in the exact file layout of a family, written to folders.

Names of files, of modules and of configuration fields are those of the published repositories;
only widths, depths and vocabularies are small.
"""

import json
import string
from pathlib import Path
from typing import Any

PX = 32
SPREAD = 0.2  # of random weights: with the usual .02 all pairs score alike
WORDS = (
    "chest", "brain", "x", "ray", "mri", "ct", "of", "the", "a", "with", "what", "is", "lesion",
    "pneumonia", "fracture", "liver", "treatment", "child", "axial", "image",
)  # fmt: skip


def _prepare() -> None:
    """Make transformers, timm and open_clip importable, and what follows repeatable."""
    import torch

    from indexer.encoders.torchvision_shim import ensure_torchvision

    ensure_torchvision()
    torch.manual_seed(0)


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def write_wordpiece(folder: Path, *, words: int = len(WORDS)) -> int:
    """Write a BERT tokenizer (tokenizer.json, tokenizer_config.json); return its size."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = string.ascii_lowercase + string.digits + string.punctuation
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS[:words]]
    vocabulary += [letter for letter in letters if letter not in vocabulary]
    vocabulary += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=512,
    ).save_pretrained(folder)
    return len(numbers)


def write_pieces(folder: Path, *, begin: str, end: str, pad: str, pair: str | None = None) -> int:
    """Write a tokenizer of words and letters with its own marks (CLIP, SigLIP, XLM-R, Qwen)."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    marks = [mark for mark in dict.fromkeys((pad, "<unk>", begin, end)) if mark]
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    names = list(dict.fromkeys([*marks, *WORDS, *letters, *(f"##{each}" for each in letters)]))
    numbers = {word: number for number, word in enumerate(names)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = f"{begin} $A {end}".strip()
    used = [(mark, numbers[mark]) for mark in dict.fromkeys((begin, end)) if mark]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=around, pair=pair, special_tokens=used
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=pad, unk_token="<unk>", eos_token=end
    ).save_pretrained(folder)
    return len(numbers)


def bert_config(vocabulary: int, *, width: int = 32) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=512,
        pad_token_id=0,
    )


def write_biomedclip(folder: Path) -> Path:
    """open_clip format: timm vision tower, Hugging Face text tower in a second repository."""
    _prepare()
    import open_clip
    from safetensors.torch import save_file

    size = write_wordpiece(folder)
    text = folder / "text_tower"
    bert_config(size).save_pretrained(text)
    name = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"
    config = {
        "embed_dim": 24,
        "vision_cfg": {
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "",
            "timm_proj": "linear",
            "image_size": PX,
        },
        "text_cfg": {
            "hf_model_name": name,
            "hf_tokenizer_name": name,
            "hf_proj_type": "mlp",
            "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 256,
        },
    }
    preprocess = {
        "mean": [0.48145466, 0.4578275, 0.40821073],
        "std": [0.26862954, 0.26130258, 0.27577711],
    }
    _write_json(
        folder / "open_clip_config.json", {"model_cfg": config, "preprocess_cfg": preprocess}
    )
    local = {**config["text_cfg"], "hf_model_name": str(text), "hf_model_pretrained": False}
    model = open_clip.CustomTextCLIP(embed_dim=24, vision_cfg=config["vision_cfg"], text_cfg=local)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def write_clip(folder: Path) -> Path:
    """open_clip format: both towers of open_clip's own, its own tokenizer."""
    _prepare()
    import open_clip
    from safetensors.torch import save_file

    config = {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": PX, "layers": 2, "width": 32, "head_width": 8, "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2,
        },
    }  # fmt: skip
    preprocess = {"resize_mode": "squash", "mean": [0.5] * 3, "std": [0.5] * 3}
    _write_json(
        folder / "open_clip_config.json", {"model_cfg": config, "preprocess_cfg": preprocess}
    )
    model = open_clip.CLIP(**config)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    return folder


def _tiny_xlmr(vocabulary: int, **more: object) -> Any:
    """The shape of an XLM-R that a test can afford."""
    from transformers import XLMRobertaConfig

    return XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=130,
        pad_token_id=0,
        **more,
    )


def write_bge(folder: Path) -> Path:
    """sentence-transformers format as bge-m3's: XLM-R, the first token's state, unit length."""
    _prepare()
    from transformers import XLMRobertaModel

    size = write_pieces(folder, begin="<s>", end="</s>", pad="<pad>")
    XLMRobertaModel(_tiny_xlmr(size)).save_pretrained(folder)
    _write_sentence_modules(folder, width=32, mode="cls_token", length=128)
    return folder


def write_qwen(folder: Path) -> Path:
    """sentence-transformers format as Qwen3-Embedding's: a causal model, the last token's state."""
    _prepare()
    from transformers import Qwen3Config, Qwen3Model

    size = write_pieces(folder, begin="", end="<|endoftext|>", pad="<|endoftext|>")
    config = Qwen3Config(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=64,
        max_position_embeddings=256,
    )
    Qwen3Model(config).save_pretrained(folder)
    _write_sentence_modules(folder, width=32, mode="lasttoken", length=128)
    prompts = {"query": "Instruct: find\nQuery:", "document": ""}
    _write_json(folder / "config_sentence_transformers.json", {"prompts": prompts})
    return folder


def _write_sentence_modules(folder: Path, *, width: int, mode: str, length: int) -> None:
    """Write modules.json and its kin with the names of the published folders."""
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    _write_json(
        folder / "modules.json",
        [
            {"idx": place, "name": str(place), "path": path,
             "type": f"sentence_transformers.models.{kind}"}
            for place, (path, kind) in enumerate(modules)
        ],
    )  # fmt: skip
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "lasttoken")
    pooling: dict[str, object] = {f"pooling_mode_{each}": each == mode for each in modes}
    _write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": width, **pooling})
    _write_json(
        folder / "sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False}
    )


def write_medcpt(folder: Path) -> Path:
    """Two plain BERT folders, for queries and for articles."""
    _prepare()
    from transformers import BertModel

    for name in ("query", "article"):
        size = write_wordpiece(folder / name)
        BertModel(bert_config(size)).save_pretrained(folder / name)
    return folder


def write_bge_reranker(folder: Path) -> Path:
    """A cross-encoder as bge-reranker-v2-m3's: XLM-R with a head of one score, safetensors."""
    _prepare()
    from transformers import XLMRobertaForSequenceClassification

    size = write_pieces(
        folder, begin="<s>", end="</s>", pad="<pad>", pair="<s> $A </s> </s> $B </s>"
    )
    config = _tiny_xlmr(size, type_vocab_size=1, num_labels=1, initializer_range=SPREAD)
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


def write_medcpt_cross(folder: Path) -> Path:
    """A cross-encoder as MedCPT-Cross-Encoder's: BERT with a head of one score, two segments."""
    _prepare()
    from transformers import BertForSequenceClassification

    config = bert_config(write_wordpiece(folder))
    config.num_labels, config.initializer_range = 1, SPREAD
    BertForSequenceClassification(config).save_pretrained(folder)
    path = folder / "tokenizer_config.json"  # as BERT's own tokenizer class has it
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    _write_json(path, {**json.loads(path.read_text("utf-8")), "model_input_names": inputs})
    return folder


def write_pubmedclip(folder: Path) -> Path:
    """transformers' CLIP, with CLIP's preprocessor_config.json."""
    _prepare()
    from transformers import CLIPConfig, CLIPModel

    size = write_pieces(folder, begin="<|startoftext|>", end="<|endoftext|>", pad="<|endoftext|>")
    tower = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }  # fmt: skip
    text = {"vocab_size": size, "max_position_embeddings": 77, "eos_token_id": 3, **tower}
    vision = {"image_size": PX, "patch_size": 8, **tower}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    CLIPModel(config).save_pretrained(folder)
    _write_json(
        folder / "preprocessor_config.json",
        {
            "do_center_crop": True,
            "crop_size": {"height": PX, "width": PX},
            "size": {"shortest_edge": PX},
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
        },
    )
    return folder


def write_medsiglip(folder: Path) -> Path:
    """transformers' SigLIP, with SigLIP's preprocessor_config.json."""
    _prepare()
    from transformers import SiglipConfig, SiglipModel

    size = write_pieces(folder, begin="", end="</s>", pad="</s>")
    tower = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }  # fmt: skip
    text = {"vocab_size": size, "max_position_embeddings": 64, **tower}
    vision = {"image_size": PX, "patch_size": 8, **tower}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    _write_json(
        folder / "preprocessor_config.json",
        {
            "size": {"height": PX, "width": PX},
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        },
    )
    return folder


def write_builtin(folder: Path) -> Path:
    """An image tower of medsearch's own, in MiniLM's space."""
    _prepare()
    from indexer.encoders.builtin.config import TEXT_SPACE, TowerConfig
    from indexer.encoders.builtin.network import create_network
    from indexer.encoders.builtin.tower import save_image_tower

    config = TowerConfig(
        architecture="test_resnet",
        px=PX,
        resize="letterbox",
        mean=(0.2, 0.2, 0.2),
        std=(0.25, 0.25, 0.25),
        dim=384,
        text_space=TEXT_SPACE,
        revision="",
        licence="none",
    )
    save_image_tower(folder, create_network(config).state_dict(), config)
    return folder


WRITERS = {
    "biomedclip": write_biomedclip,
    "clip": write_clip,
    "bge": write_bge,
    "qwen": write_qwen,
    "medcpt": write_medcpt,
    "pubmedclip": write_pubmedclip,
    "medsiglip": write_medsiglip,
    "builtin": write_builtin,
}
"""Family to what writes a model of it into a folder and returns that folder."""

RERANKER_WRITERS = {"bge-reranker-v2-m3": write_bge_reranker, "medcpt-cross": write_medcpt_cross}
"""Catalogue key of a reranker to what writes a small model of its kind."""
