"""Where each dataset is fetched from: a table, without any network access.

Repositories, file names and revisions are those of the hub's own pages; the collections are those
of The Cancer Imaging Archive. A revision of None is resolved to a commit when a download starts,
and that commit is kept until it ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from indexer.errors import UnknownNameError

NBIA_BASE_URL = "https://services.cancerimagingarchive.net/nbia-api/services/v4"
"""The archive's public REST service, version 4, which asks for no token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A dataset repository of the Hugging Face Hub.

    `files` are patterns of the files that the loader reads. If `members` is given they name one
    zip file, of which the members that match are unpacked. `remark` is what a user should know
    beforehand.
    """

    repository: str
    files: tuple[str, ...]
    revision: str | None = None
    members: str | None = None
    remark: str = ""

    @property
    def origin(self) -> str:
        """Return the address of the repository."""
        return f"https://huggingface.co/datasets/{self.repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NbiaSource:
    """A collection of The Cancer Imaging Archive, by the NBIA REST service."""

    collection: str
    remark: str = ""

    @property
    def origin(self) -> str:
        """Return the address of the collection."""
        return f"https://www.cancerimagingarchive.net/collection/{self.collection.lower()}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class KaggleSource:
    """A dataset of Kaggle; `handle` is `owner/name`."""

    handle: str
    remark: str = ""

    @property
    def origin(self) -> str:
        """Return the address of the dataset."""
        return f"https://www.kaggle.com/datasets/{self.handle}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualSource:
    """A dataset that only a person can get: `steps` say how, in order."""

    origin: str
    steps: tuple[str, ...]
    remark: str = ""


Source = HubSource | NbiaSource | KaggleSource | ManualSource

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "rocov2": HubSource(
            repository="eltorio/ROCOv2-radiology",
            files=("data/*.parquet",),
            remark="A parquet copy by a third party. Each figure's own licence and article stand "
            "only in license_information.csv of https://zenodo.org/records/10821435.",
        ),
        "medqa": HubSource(
            repository="bigbio/med_qa",
            revision="ddef95d268cdad413693d634279a9a679d468469",
            files=("data_clean.zip",),
            members="data_clean/questions/*",
            remark="The publisher's Google Drive archive, mirrored by the BigBio project; its "
            "textbooks are left out.",
        ),
        "medical_o1_sft": HubSource(
            repository="FreedomIntelligence/medical-o1-reasoning-SFT",
            files=("medical_o1_sft*.json",),
        ),
        "medcalc_bench": HubSource(repository="ncbi/MedCalc-Bench-v1.0", files=("data/*.parquet",)),
        "jmed": HubSource(repository="jdh-algo/JMED", files=("*.jsonl",)),
        "ai_medical_chatbot": HubSource(
            repository="ruslanmv/ai-medical-chatbot",
            revision="613c8a98b51eadb81d66f5c59208c57b1a634324",
            files=("dialogues.parquet",),
        ),
        "tcga_esca": NbiaSource(collection="TCGA-ESCA"),
        "tcga_kich": NbiaSource(
            collection="TCGA-KICH", remark="For its MR series too: --modality CT --modality MR."
        ),
        "tcga_luad": NbiaSource(
            collection="TCGA-LUAD", remark="For its PET series too: --modality CT --modality PT."
        ),
        "cancer_ct": KaggleSource(handle="kmader/siim-medical-images"),
        "mura": ManualSource(
            origin="https://aimi.stanford.edu/datasets/mura-msk-xrays",
            steps=(
                "Open https://aimi.stanford.edu/datasets/mura-msk-xrays and register.",
                "Accept the research use agreement: no commercial use, no redistribution.",
                "Download MURA-v1.1.zip (about 3 GB) by the link that you are given.",
                "Run `medsearch datasets check mura MURA-v1.1.zip`: it unpacks and checks it.",
            ),
        ),
        "own_images": ManualSource(
            origin="your own files",
            steps=("Put records.jsonl beside your images in one folder; nothing is fetched.",),
        ),
        "pacs": ManualSource(
            origin="your own archive",
            steps=("Run `medsearch index pacs --dicomweb URL`: it mirrors the archive.",),
        ),
    }
)


def get_source(name: str) -> Source:
    """Return where a dataset is fetched from.

    Raises
    ------
    UnknownNameError
        No dataset of that name is in the table.
    """
    if name not in SOURCES:
        raise UnknownNameError("dataset", name, SOURCES)
    return SOURCES[name]
