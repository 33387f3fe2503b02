"""MURA: radiographs of the upper extremity, each study labelled normal or abnormal."""

from collections.abc import Iterator
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found
from indexer.datasets.mura_tree import (
    SPLITS,
    Place,
    find_home,
    find_table,
    has_split_folders,
    parse_place,
    read_table,
)
from indexer.datasets.rows import RawRow
from indexer.datasets.tree import (
    IMAGE_SUFFIXES,
    NameSet,
    find_image,
    list_files,
    list_folders,
    relative_name,
    walk_folders,
)
from indexer.errors import BadRecordError
from indexer.records import ImageRecord, ImageRef, Reject, Row, make_record_id

INFO = DatasetInfo(
    name="mura",
    title="MURA v1.1",
    kind="image",
    description=(
        "Musculoskeletal radiographs of elbow, finger, forearm, hand, humerus, shoulder and "
        "wrist; radiologists labelled each study normal or abnormal. It has no captions."
    ),
    licence="Stanford MURA research use agreement (non-commercial, no redistribution)",
    licence_url="https://aimi.stanford.edu/datasets/mura-msk-xrays",
    citation=(
        "Rajpurkar P, Irvin J, Bagul A, et al. MURA: Large Dataset for Abnormality Detection in "
        "Musculoskeletal Radiographs. arXiv:1712.06957 (2017). https://arxiv.org/abs/1712.06957"
    ),
    homepage="https://stanfordmlgroup.github.io/competitions/mura/",
    size="40,005 published images (36,808 train, 3,197 valid); about 3 GB",
    languages=("en",),
    access=(
        "Accept the research use agreement on "
        "https://aimi.stanford.edu/datasets/mura-msk-xrays , download MURA-v1.1.zip by the link "
        "that you are given and unpack it."
    ),
    layout=(
        "MURA-v1.1/{train,valid}/XR_ELBOW/patient00011/study1_negative/image1.png, with or "
        "without {train,valid}_image_paths.csv and {train,valid}_labeled_studies.csv."
    ),
    folders=("mura", "MURA-v1.1", "MURA", "mura-v1.1"),
)


class MuraDataset:
    """The reader of MURA's layouts.

    The publisher's own numbers stand in for patients (`patient00011`): they are public, and
    appear in no other data. A case is a study. No caption is made up; a study's label is among
    the labels and in `abnormal`. The labels file wins over the folder's name; images that
    image_paths.csv leaves out are read as well.
    """

    info = INFO

    def detect(self, root: Path) -> str | None:
        """Return `tables`, `folders` (no csv files) or None."""
        home = find_home(root) if root.is_dir() else None
        if home is None:
            return None
        return "tables" if any(find_table(home, s, "image_paths") for s in SPLITS) else "folders"

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield the images of train, valid and test, each as image_paths.csv orders them.

        Raises
        ------
        DatasetNotFoundError
            Neither the tables nor the folders lie below `root`.
        """
        home = find_home(root) if root.is_dir() else None
        if home is None:
            raise not_found(self.info, root)
        return _iter_home(root, home)


def _iter_home(root: Path, home: Path) -> Iterator[Row]:
    trees = [home, *(home / name for name in list_folders(home) if has_split_folders(home / name))]
    for split in SPLITS:
        yield from _SplitReader(root, home, trees, split).rows()


class _SplitReader:
    """Reads one split: first what the tables name, then what else lies in its folders."""

    def __init__(self, root: Path, home: Path, trees: list[Path], split: str) -> None:
        self._root = root
        self._home = home
        self._trees = trees
        self._split = split
        self._abnormal = NameSet()
        self._normal = NameSet()

    def rows(self) -> Iterator[Row]:
        """Yield a record or a reject for each image, and a reject for each bad label."""
        listed = NameSet()
        yield from self._read_labels()
        table = find_table(self._home, self._split, "image_paths")
        for row in read_table(self._root, table, ("path",)) if table else ():
            yield self._listed_image(row, listed)
        for tree in self._trees:
            for folder in walk_folders(tree / self._split) if (tree / self._split).is_dir() else ():
                yield from self._unlisted_images(folder, listed)

    def _read_labels(self) -> Iterator[Reject]:
        table = find_table(self._home, self._split, "labeled_studies")
        for row in read_table(self._root, table, ("study", "label")) if table else ():
            if isinstance(row, Reject):
                yield row
                continue
            try:
                place, label = _parse_label(row)
            except BadRecordError as error:
                yield Reject(path=error.path, line=error.line, reason=error.reason)
                continue
            (self._abnormal if label else self._normal).add(place.study)

    def _listed_image(self, row: RawRow | Reject, listed: NameSet) -> Row:
        if isinstance(row, Reject):
            return row
        place = parse_place(str(next(iter(row.values.values()), "")))
        if place is None or not place.file:
            reason = "not a path of MURA: expected .../valid/XR_WRIST/patient1/study1_positive/..."
            return Reject(path=row.path, line=row.line, reason=reason)
        stem = Path(place.file).stem
        listed.add(f"{place.study}/{stem}")
        for tree in self._trees:
            path = find_image(tree / place.folder, stem)
            if path is not None:
                return self._make(place, path, row)
        reason = f"the image {place.folder}/{place.file} is not there"
        return Reject(path=row.path, line=row.line, reason=reason, kind="missing_file")

    def _unlisted_images(self, folder: Path, listed: NameSet) -> Iterator[ImageRecord]:
        for name in list_files(folder, IMAGE_SUFFIXES):
            place = parse_place(relative_name(self._root, folder / name))
            if place is not None and f"{place.study}/{Path(name).stem}" not in listed:
                yield self._make(place, folder / name, None)

    def _make(self, place: Place, path: Path, row: RawRow | None) -> ImageRecord:
        relative = relative_name(self._root, path)
        abnormal = self._is_abnormal(place)
        return ImageRecord(
            record_id=make_record_id(INFO.name, place.split, f"{place.study}/{path.stem}"),
            dataset=INFO.name,
            split=place.split,
            source_id=f"{place.folder}/{path.name}",
            source_path=row.path if row else relative,
            source_line=row.line if row else None,
            case_id=place.study,
            labels=() if abnormal is None else ("abnormal" if abnormal else "normal",),
            licence=INFO.licence,
            image=ImageRef(path=relative),
            modality="X-ray",
            body_part=place.region,
            patient_id=place.patient,
            study_id=place.study,
            abnormal=abnormal,
        )

    def _is_abnormal(self, place: Place) -> bool | None:
        """Return what the labels file says, else the folder's name, else None (the test split)."""
        if place.study in self._abnormal:
            return True
        return False if place.study in self._normal else place.is_positive


def _parse_label(row: RawRow) -> tuple[Place, bool]:
    """Read a row of labeled_studies.csv: a study's folder, with or without a slash, and 0 or 1."""
    cells = [str(value).strip() for value in row.values.values()]
    place = parse_place(cells[0].rstrip("/\\") + "/")
    label = {"0": False, "1": True}.get(cells[1].removesuffix(".0")) if len(cells) > 1 else None
    if place is None:
        raise row.bad("not the path of a study of MURA")
    if label is None:
        raise row.bad("the label of a study must be 0 or 1")
    return place, label


DATASETS = (MuraDataset(),)
