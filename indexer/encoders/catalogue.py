"""Every encoder that medsearch knows by name. An encoder is added by one entry here.

What a model's own card says was taken from it; what could not be seen there is named in
`unverified`. Licences are those of the weights.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING

from indexer.encoders.rerankers import RERANKERS
from indexer.encoders.spec import EncoderSpec, Modality, ModelSpec
from indexer.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB = "https://huggingface.co/"
_BOTH: frozenset[Modality] = frozenset({"image", "text"})
_TEXT: frozenset[Modality] = frozenset({"text"})

_ENTRIES = (
    EncoderSpec(
        key="builtin",
        family="builtin",
        model="indexer/encoders/builtin/weights",
        revision="shipped",
        dim=384,
        modalities=_BOTH,
        languages=("en",),
        max_tokens=256,
        image_px=None,
        licence="research use only; see its model card",
        source="indexer/encoders/builtin/weights/MODEL_CARD.md",
        description="Compact image tower trained into MiniLM's space. Works offline, quick on a "
        "CPU; knows modality and anatomy, of findings little.",
        contamination="trained on the public sets that its model card lists",
    ),
    EncoderSpec(
        key="minilm",
        family="builtin",
        model="sentence-transformers/all-MiniLM-L6-v2",
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        dim=384,
        modalities=_TEXT,
        languages=("en",),
        max_tokens=256,
        image_px=None,
        licence="Apache-2.0",
        source=_HUB + "sentence-transformers/all-MiniLM-L6-v2",
        description="General English sentence encoder. Works offline, from a Python package.",
    ),
    EncoderSpec(
        key="e5-small-zh",
        family="builtin",
        model="indexer/encoders/chinese/weights",
        revision="shipped",
        dim=384,
        modalities=_TEXT,
        languages=("zh",),
        max_tokens=512,
        image_px=None,
        licence="MIT",
        source="indexer/encoders/chinese/weights/MODEL_CARD.md",
        description="multilingual-e5-small in four bits, its vocabulary cut to Chinese. Works "
        "offline; reads Chinese questions beside an encoder that reads English.",
        query_prefix="query: ",
        document_prefix="query: ",  # questions are compared with questions; see the model card
        contamination="its training data (the paper names web pages, question-answer sites, "
        "encyclopedias and news) may hold texts that are searched here",
        unverified=("model", "contamination"),
    ),
    EncoderSpec(
        key="biomedclip",
        family="open_clip",
        model="hf-hub:microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
        revision="9f341de24bfb00180f1b847274256e9b65a3a32e",
        dim=512,
        modalities=_BOTH,
        languages=("en",),
        max_tokens=256,
        image_px=224,
        licence="MIT",
        source=_HUB + "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
        description="ViT-B/16 and PubMedBERT on 15 million figures of PubMed Central. The card "
        "limits it to research.",
        contamination="PMC-15M holds figures of the articles that ROCOv2 is drawn from",
        companions=("microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract@main",),
        unverified=("contamination",),
    ),
    EncoderSpec(
        key="roco-vit-l",
        family="open_clip",
        model="hf-hub:luhuitong/CLIP-ViT-L-14-448px-MedICaT-ROCO",
        revision="main",
        dim=768,
        modalities=_BOTH,
        languages=("en",),
        max_tokens=77,
        image_px=448,
        licence="Apache-2.0",
        source=_HUB + "luhuitong/CLIP-ViT-L-14-448px-MedICaT-ROCO",
        description="ViT-L/14 at 448 px, tuned on MedICaT and ROCO. Slow without a GPU.",
        contamination="trained on ROCO: figures on ROCOv2 made with it are not to be trusted",
        unverified=("dim", "max_tokens"),
    ),
    EncoderSpec(
        key="medsiglip",
        family="transformers",
        model="google/medsiglip-448",
        revision="9cea28a1a1195f665105faa6e8544c112fd960a4",
        dim=1152,
        modalities=_BOTH,
        languages=("en",),
        max_tokens=64,
        image_px=448,
        licence="Health AI Developer Foundations terms of use",
        source=_HUB + "google/medsiglip-448",
        description="SigLIP (400 M parameters a tower) on X-rays, CT and MR slices, skin, eye and "
        "tissue. Accept its terms on its page, then `hf auth login`. Needs sentencepiece.",
        contamination="its card names public chest X-ray sets among the training data",
        gated=True,
        unverified=("dim", "revision", "contamination"),
    ),
    EncoderSpec(
        key="pubmedclip",
        family="transformers",
        model="flaviagiammarino/pubmed-clip-vit-base-patch32",
        revision="main",
        dim=512,
        modalities=_BOTH,
        languages=("en",),
        max_tokens=77,
        image_px=224,
        licence="MIT",
        source=_HUB + "flaviagiammarino/pubmed-clip-vit-base-patch32",
        description="CLIP ViT-B/32 tuned on ROCO. Small and quick, older than the others.",
        contamination="trained on ROCO: figures on ROCOv2 made with it are not to be trusted",
        unverified=("dim", "max_tokens", "image_px"),
    ),
    EncoderSpec(
        key="bge-m3",
        family="sentence",
        model="BAAI/bge-m3",
        revision="5617a9f61b028005a4858fdac845db406aefb181",
        dim=1024,
        modalities=_TEXT,
        languages=("en", "zh"),
        max_tokens=8192,
        image_px=None,
        licence="MIT",
        source=_HUB + "BAAI/bge-m3",
        description="Multilingual (over 100 languages), long texts, no prefixes. 568 M parameters.",
        unverified=("contamination",),
    ),
    EncoderSpec(
        key="qwen3-embedding-0.6b",
        family="sentence",
        model="Qwen/Qwen3-Embedding-0.6B",
        revision="97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3",
        dim=1024,
        modalities=_TEXT,
        languages=("en", "zh"),
        max_tokens=8192,  # the card states 32k; longer texts are cut into windows all the same
        image_px=None,
        licence="Apache-2.0",
        source=_HUB + "Qwen/Qwen3-Embedding-0.6B",
        description="Multilingual (over 100 languages), queries carry an instruction.",
        query_prefix="Instruct: Given a web search query, retrieve relevant passages that answer "
        "the query\nQuery:",
        unverified=("contamination",),
    ),
    EncoderSpec(
        key="medcpt",
        family="medcpt",
        model="ncbi/MedCPT-Query-Encoder",
        revision="d83a36cc6b8e3a5c5e9d9d6ba156808c1643dcbc",
        dim=768,
        modalities=_TEXT,
        languages=("en",),
        max_tokens=512,  # of articles; queries take 64
        image_px=None,
        licence="public domain",
        source=_HUB + "ncbi/MedCPT-Query-Encoder",
        description="Two PubMedBERT towers, for queries and for articles, trained on PubMed's "
        "search logs by inner product; here compared by cosine, as all encoders are.",
        companions=("ncbi/MedCPT-Article-Encoder@main",),
        unverified=("contamination",),
    ),
    EncoderSpec(
        key="bge-base-zh",
        family="sentence",
        model="BAAI/bge-base-zh-v1.5",
        revision="f03589ceff5aac7111bd60cfc7d497ca17ecac65",
        dim=768,
        modalities=_TEXT,
        languages=("zh",),
        max_tokens=512,
        image_px=None,
        licence="MIT",
        source=_HUB + "BAAI/bge-base-zh-v1.5",
        description="Chinese, compact (102 M parameters): for JMED and MedQA's Mainland part.",
        query_prefix="为这个句子生成表示以用于检索相关文章：",
        unverified=("dim", "max_tokens", "contamination"),
    ),
)


CATALOGUE: "Mapping[str, EncoderSpec]" = MappingProxyType({spec.key: spec for spec in _ENTRIES})
"""Key to entry, in the order in which `medsearch encoders` lists them."""


def get_spec(key: str) -> EncoderSpec:
    """Return the catalogue entry of that name.

    Raises
    ------
    UnknownNameError
        There is none; the remedy suggests the nearest.
    """
    try:
        return CATALOGUE[key]
    except KeyError:
        raise UnknownNameError("encoder", key, CATALOGUE) from None


def get_model_spec(key: str) -> ModelSpec:
    """Return the entry of an encoder or of a reranker, whichever has that name.

    Raises
    ------
    UnknownNameError
        None has; the remedy suggests the nearest.
    """
    known: Mapping[str, ModelSpec] = {**CATALOGUE, **RERANKERS}
    if key not in known:
        raise UnknownNameError("encoder or reranker", key, known)
    return known[key]
