"""Writes the sample corpus: every dataset in its genuine layout, of phantoms and invented texts."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from indexer.errors import TargetOccupiedError
from indexer.sample.layouts.ai_medical_chatbot import write_ai_medical_chatbot
from indexer.sample.layouts.cancer_ct import write_cancer_ct
from indexer.sample.layouts.medcalc_bench import write_medcalc_bench
from indexer.sample.layouts.mura import write_mura
from indexer.sample.layouts.questions import write_jmed, write_medical_o1_sft, write_medqa
from indexer.sample.layouts.rocov2 import write_rocov2
from indexer.sample.layouts.tcia import write_tcga_esca, write_tcga_kich, write_tcga_luad
from indexer.sample.tally import Tally, write_lines

MARKER = "SYNTHETIC.json"
LayoutWriter: TypeAlias = Callable[[Path, int], Tally]

LAYOUTS: dict[str, LayoutWriter] = {
    "rocov2": write_rocov2,
    "mura": write_mura,
    "tcga_luad": write_tcga_luad,
    "tcga_kich": write_tcga_kich,
    "tcga_esca": write_tcga_esca,
    "cancer_ct": write_cancer_ct,
    "medqa": write_medqa,
    "jmed": write_jmed,
    "medical_o1_sft": write_medical_o1_sft,
    "medcalc_bench": write_medcalc_bench,
    "ai_medical_chatbot": write_ai_medical_chatbot,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edition:
    """What the corpus is made from: equal editions are equal to the byte."""

    seed: int
    generator_sha256: str


def write_sample_corpus(
    target: Path, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write one folder a dataset below `target`, each with a marker file SYNTHETIC.json.

    The corpus is written beside the target and renamed, so that it is there as a whole or not at
    all. One of the same seed and generator that is already there, untouched, is kept; another
    sample corpus is replaced. `progress` is called with the datasets done and their number.

    Raises
    ------
    TargetOccupiedError
        Something lies at `target` that is no sample corpus: it is not touched.
    """
    edition = _Edition(seed=seed, generator_sha256=_generator_sha256())
    report = progress or (lambda _done, _total: None)
    if _is_current(target, edition):
        report(len(LAYOUTS), len(LAYOUTS))
        return
    _check_replaceable(target)
    with _written_beside(target) as staging:
        for done, (name, write) in enumerate(LAYOUTS.items()):
            report(done, len(LAYOUTS))
            (staging / name).mkdir()
            tally = write(staging / name, seed)
            _write_marker(staging / name, tally.marker(seed))
        size_bytes, count = _measure(staging)
        _write_marker(
            staging,
            {
                "synthetic": True,
                "generator": "medsearch sample corpus",
                "seed": seed,
                "generator_sha256": edition.generator_sha256,
                "files": count,
                "size_bytes": size_bytes,
            },
        )
    report(len(LAYOUTS), len(LAYOUTS))


def _write_marker(folder: Path, content: dict[str, object]) -> None:
    """Write a marker on one line, so that a reader of JSON lines takes it for one odd row."""
    write_lines(folder / MARKER, [json.dumps(content, ensure_ascii=False)])


def _read_marker(target: Path) -> dict[str, object] | None:
    """Return the corpus' own marker, or None if there is none that can be read."""
    try:
        content = json.loads((target / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("synthetic") is True else None


def _is_current(target: Path, edition: _Edition) -> bool:
    """Return whether this very edition lies at the target with all its files."""
    marker = _read_marker(target)
    if marker is None:
        return False
    same = (marker.get("seed"), marker.get("generator_sha256")) == (
        edition.seed,
        edition.generator_sha256,
    )
    return same and (marker.get("size_bytes"), marker.get("files")) == _measure(target)


def _check_replaceable(target: Path) -> None:
    is_free = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not is_free and _read_marker(target) is None:
        raise TargetOccupiedError(
            f"{target} is there already and is no sample corpus.",
            remedy="Name another folder, or move that one away.",
        )


@contextmanager
def _written_beside(target: Path) -> Iterator[Path]:
    """Give a folder beside the target to write into; put it in the target's place afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield staging
        staging.chmod(0o777 & ~_umask())
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _measure(folder: Path) -> tuple[int, int]:
    """Return the size in bytes and the number of the files below a folder, its marker left out."""
    sizes = [
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MARKER
    ]
    return sum(sizes), len(sizes)


def _generator_sha256() -> str:
    """Return the digest of the generator's own modules and texts."""
    digest = sha256()
    for name, content in sorted(_sources(files("indexer.sample"), "")):
        digest.update(f"{name}\0{sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".py", ".json")):
            yield f"{prefix}{entry.name}", entry.read_bytes()
