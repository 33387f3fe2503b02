"""Every reranker that medsearch knows by name. A reranker is added by one entry here.

As in `indexer.encoders.catalogue`, what could not be seen on a model's own card is named in
`unverified`. Licences are those of the weights.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING

from indexer.encoders.spec import RerankerSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB = "https://huggingface.co/"

_ENTRIES = (
    RerankerSpec(
        key="bge-reranker-v2-m3",
        model="BAAI/bge-reranker-v2-m3",
        # Pinned by many public projects; the hub's own history was not seen up to it.
        revision="953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e",
        languages=("en", "zh"),
        max_tokens=1024,  # takes 8,192; its authors fine-tuned at 1,024 and advise that
        licence="Apache-2.0",
        source=_HUB + "BAAI/bge-reranker-v2-m3",
        description="Multilingual, tuned from bge-m3. 568 M parameters: wants a GPU.",
        unverified=("revision", "contamination"),
    ),
    RerankerSpec(
        key="medcpt-cross",
        model="ncbi/MedCPT-Cross-Encoder",
        # The hub's history shows 71caf65; the full name is as public projects pin it.
        revision="71caf65d4927987813984f54c284405a13fcca49",
        languages=("en",),
        max_tokens=512,
        licence="public domain",
        source=_HUB + "ncbi/MedCPT-Cross-Encoder",
        description="PubMedBERT trained on PubMed's search logs to rank articles for queries. "
        "109 M parameters. Published as a pickle only.",
        unverified=("revision", "contamination"),
    ),
)


RERANKERS: "Mapping[str, RerankerSpec]" = MappingProxyType({spec.key: spec for spec in _ENTRIES})
"""Key to entry, in the order in which `medsearch encoders` lists them."""
