"""Lists of residual codes in a FAISS file, as programs up to format 2 wrote them."""

import math
from pathlib import Path

import faiss
import numpy as np

from indexer.store.field_manifest import SearchStructure


def write_faiss_file(vectors: np.ndarray, path: Path) -> SearchStructure:
    """Write the file of unit rows (n, d); return the figures that the manifest stated of it."""
    dim = vectors.shape[1]
    nlist = 2 ** round(math.log2(2 * math.sqrt(len(vectors))))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, nlist, faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT, True,
    )  # fmt: skip
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(path))
    index.make_direct_map()
    errors = np.linalg.norm(vectors - index.reconstruct_n(0, len(vectors)), axis=1)
    return SearchStructure(
        kind="ivf_sq8", nlist=nlist, nprobe=nlist // 2, depth=4, recall_at_10=0.99,
        recall_queries=1000, code_error=float(errors.max()) * 1.0001,
    )  # fmt: skip
