"""ROCOv2: radiological figures of open-access articles, with captions and UMLS concepts."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found
from indexer.datasets.rocov2_files import (
    CAPTION_COLUMNS,
    CONCEPT_COLUMNS,
    ID_COLUMNS,
    NAME_COLUMNS,
    NAMED_COLUMNS,
    ImageFolders,
    RocoFiles,
    Table,
    clean_id,
    find_roco_files,
    split_of_id,
)
from indexer.datasets.rocov2_sources import FigureSource, parse_source
from indexer.datasets.rows import RawRow, read_parquet_rows
from indexer.datasets.side_table import SideTable
from indexer.datasets.tree import NameSet, relative_name
from indexer.datasets.umls import modality_of, parse_cuis, plain_name, region_of
from indexer.errors import BadRecordError
from indexer.records import ImageRecord, ImageRef, Reject, Row, make_record_id

INFO = DatasetInfo(
    name="rocov2",
    title="ROCOv2",
    kind="image",
    description=(
        "Radiology Objects in COntext, version 2: figures of PMC open-access articles with their "
        "captions and UMLS concepts; modality and X-ray region set by hand."
    ),
    licence="CC BY-NC-SA 4.0",
    licence_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
    citation=(
        "Rückert J, Bloch L, Brüngel R, et al. ROCOv2: Radiology Objects in COntext Version 2, an "
        "Updated Multimodal Image Dataset. Sci Data 11, 688 (2024). "
        "https://doi.org/10.1038/s41597-024-03496-6. Data: https://doi.org/10.5281/zenodo.10821435"
    ),
    homepage="https://zenodo.org/records/10821435",
    size="79,789 images; 6.4 GB from Zenodo, 18.6 GB as parquet",
    languages=("en",),
    access=(
        "Download the csv files and {train,valid,test}_images.zip from "
        "https://zenodo.org/records/10821435 and unpack them into one folder; or download the "
        "parquet files of https://huggingface.co/datasets/eltorio/ROCOv2-radiology."
    ),
    layout=(
        "{split}_captions.csv (ID,Caption) with {split}_images/ and, if there, {split}_concepts"
        ".csv, {split}_concepts_manual.csv, cui_mapping.csv, license_information.csv; or "
        "data/{train,validation,test}-*.parquet; or ImageCLEF's tab-separated captions with "
        "folders train/, valid/, test/."
    ),
    folders=("rocov2", "ROCOv2", "ROCOv2-radiology", "roco_v2", "roco"),
)


class Rocov2Dataset:
    """The reader of ROCOv2's layouts; tables win over parquet files if their images are there.

    A row whose image is not there is a reject; an image that no row names becomes a record
    without a caption, so that a file is never passed over in silence.
    """

    info = INFO

    def detect(self, root: Path) -> str | None:
        """Return `tables` (csv or tsv with image folders), `parquet` or None."""
        if not root.is_dir():
            return None
        files = find_roco_files(root)
        has_parquet = any(_may_hold_figures(path) for _, path in files.parquet)
        if files.has_captions and not (has_parquet and not ImageFolders(root).hold_images()):
            return "tables"
        return "parquet" if has_parquet else None

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield the rows of train, valid and test, each as its captions are ordered.

        Raises
        ------
        DatasetNotFoundError
            Neither a table of captions nor a parquet file lies below `root`.
        """
        layout = self.detect(root)
        if layout is None:
            raise not_found(self.info, root)
        reader = _Reader(root, find_roco_files(root))
        return reader.table_rows() if layout == "tables" else reader.parquet_rows()


class _Reader:
    """Reads one folder once: captions in order, concepts and licences beside them."""

    def __init__(self, root: Path, files: RocoFiles) -> None:
        self._root = root
        self._files = files
        self._sources = SideTable(self._chain(files.licences), parse_source)
        self._names = self._read_names()

    def table_rows(self) -> Iterator[Row]:
        """Yield the rows of the caption tables, then the images that none of them named."""
        for path in self._files.strange:
            reason = (
                "named like a table of ROCOv2, but without its columns (ID and Caption or CUIs)"
            )
            yield Reject(path=relative_name(self._root, path), line=1, reason=reason)
        folders = ImageFolders(self._root)
        named = NameSet()
        for split, tables in self._files.splits.items():
            concepts = SideTable(self._chain(tables.concepts), _parse_concepts)
            manual = SideTable(self._chain(tables.manual), _parse_concepts)
            for row in self._chain(tables.captions):
                yield self._caption_row(row, split, folders, named, (manual, concepts))
                for side in (manual, concepts, self._sources):
                    yield from side.take_rejects()
        yield from self._unnamed_images(folders, named)

    def parquet_rows(self) -> Iterator[Row]:
        """Yield the rows of the parquet files, shard by shard."""
        columns = [*ID_COLUMNS, "caption", *CAPTION_COLUMNS, *CONCEPT_COLUMNS, "image"]
        for split, path in self._files.parquet:
            if not _may_hold_figures(path):
                continue
            for row in read_parquet_rows(self._root, path, columns):
                yield row if isinstance(row, Reject) else self._parquet_row(row, split)
                yield from self._sources.take_rejects()

    def _caption_row(
        self,
        row: RawRow | Reject,
        split: str,
        folders: ImageFolders,
        named: NameSet,
        concepts: tuple[SideTable[tuple[str, ...]], SideTable[tuple[str, ...]]],
    ) -> Row:
        if isinstance(row, Reject):
            return row
        try:
            image_id = clean_id(row)
            caption = row.optional_text(*CAPTION_COLUMNS)
        except BadRecordError as error:
            return Reject(path=error.path, line=error.line, reason=error.reason)
        named.add(image_id)
        manual, found = (side.find(image_id) or () for side in concepts)
        split = split_of_id(image_id, split)
        path = folders.find(image_id, split)
        if path is None:
            reason = f"the image {image_id} is in no folder of the split {split!r}"
            return Reject(path=row.path, line=row.line, reason=reason, kind="missing_file")
        return self._make(image_id, split, ImageRef(path=path), caption, (manual, found), row)

    def _parquet_row(self, row: RawRow, split: str) -> Row:
        try:
            image_id = _parquet_id(row)
            caption = row.optional_text(*CAPTION_COLUMNS)
        except BadRecordError as error:
            return Reject(path=error.path, line=error.line, reason=error.reason)
        image = ImageRef(path=row.path, row=row.index)
        concepts = ((), parse_cuis(row.get(*CONCEPT_COLUMNS)))
        return self._make(image_id, split_of_id(image_id, split), image, caption, concepts, row)

    def _unnamed_images(self, folders: ImageFolders, named: NameSet) -> Iterator[ImageRecord]:
        """Yield a record without a caption for each image in a folder that no row named."""
        for split, path in folders.images_but(named):
            image_id = Path(path).stem
            owner = split_of_id(image_id, split)
            yield self._make(image_id, owner, ImageRef(path=path), None, ((), ()), None)

    def _make(
        self,
        image_id: str,
        split: str,
        image: ImageRef,
        caption: str | None,
        concepts: tuple[tuple[str, ...], tuple[str, ...]],
        row: RawRow | None,
    ) -> ImageRecord:
        """Return the record of one figure; `concepts` are those set by hand and those found."""
        source = self._sources.find(image_id) or FigureSource()
        every = tuple(dict.fromkeys(chain(*concepts)))
        names = (self._names.get(cui) or plain_name(cui) for cui in every)
        return ImageRecord(
            record_id=make_record_id(INFO.name, split, image_id),
            dataset=INFO.name,
            split=split,
            source_id=image_id,
            source_path=row.path if row else image.path,
            source_line=row.line if row else None,
            case_id=source.article or image_id,
            labels=tuple(dict.fromkeys(name for name in names if name)),
            licence=source.licence or INFO.licence,
            attribution=source.attribution,
            image=image,
            caption=" ".join(caption.split()) if caption else None,
            concepts=every,
            modality=modality_of(*concepts),
            body_part=region_of(*concepts),
            article_id=source.article,
            year=source.year,
        )

    def _chain(self, tables: list[Table]) -> Iterator[RawRow | Reject]:
        return chain.from_iterable(table.read(self._root) for table in tables)

    def _read_names(self) -> dict[str, str]:
        """Read the published names of concepts; a vocabulary of some thousand words."""
        names = {}
        for row in self._chain(self._files.names):
            if isinstance(row, RawRow):
                name = row.get(*NAME_COLUMNS)
                for cui in parse_cuis(row.get(*NAMED_COLUMNS)):
                    names[cui] = str(name or "").strip()
        return names


def _parse_concepts(row: RawRow) -> tuple[str, tuple[str, ...]]:
    return clean_id(row), parse_cuis(row.get(*CONCEPT_COLUMNS))


def _parquet_id(row: RawRow) -> str:
    """Return the id of a parquet row: its own, that of its image file, or its place."""
    image = row.get("image")
    name = image.get("path") if isinstance(image, dict) else None
    if row.optional_text("image_id", "ID"):
        return clean_id(row)
    return Path(str(name)).stem if name else f"{Path(row.path).stem}-{row.index}"


def _may_hold_figures(path: Path) -> bool:
    """Return whether a parquet file has images and captions, or is broken and must be named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return True
    return "image" in names and bool({"caption", "Caption"} & names)


DATASETS = (Rocov2Dataset(),)
