"""Three radiology collections of The Cancer Genome Atlas in The Cancer Imaging Archive.

The numbers of patients are those of the archive's table of collections.
"""

from indexer.datasets.base import DatasetInfo
from indexer.datasets.tcia import TciaDataset

_LICENCE = "CC BY 3.0"
_LICENCE_URL = "https://creativecommons.org/licenses/by/3.0/"
_ARCHIVE = (
    "Clark K, Vendt B, Smith K, et al. The Cancer Imaging Archive (TCIA): Maintaining and "
    "Operating a Public Information Repository. J Digit Imaging 26:1045-1057 (2013). "
    "https://doi.org/10.1007/s10278-013-9622-7"
)


def _define(
    name: str, *, cancer: str, patients: str, citation: str, doi: str, body_part: str
) -> TciaDataset:
    """Return the dataset of one collection; `name` is that of the dataset, `tcga_luad`."""
    collection = name.upper().replace("_", "-")
    homepage = f"https://www.cancerimagingarchive.net/collection/{collection.lower()}/"
    info = DatasetInfo(
        name=name,
        title=collection,
        kind="image",
        description=f"Diagnostic imaging of patients with {cancer}, one record a slice.",
        licence=_LICENCE,
        licence_url=_LICENCE_URL,
        citation=f"{citation} https://doi.org/{doi}. Archive: {_ARCHIVE}",
        homepage=homepage,
        size=patients,
        languages=("en",),
        access=(
            f"Open {homepage}, download the manifest (.tcia) of the images, open it in the NBIA "
            "Data Retriever (https://wiki.cancerimagingarchive.net/display/NBIA/"
            "Downloading+TCIA+Images) and choose the folder; no account is needed."
        ),
        layout=(
            f"DICOM files at any depth, as the retriever writes them: {collection}/PATIENT/STUDY/"
            "SERIES/*.dcm, with or without metadata.csv, with or without file extensions. In a "
            f"folder with several collections only {collection} is read."
        ),
        folders=(name, collection, f"tcia/{collection}"),
        holds_ct=True,
    )
    return TciaDataset(
        info=info,
        collection=collection,
        labels=(cancer,),
        body_part=body_part,
        attribution=f"{collection}, The Cancer Imaging Archive, https://doi.org/{doi}",
    )


TCGA_ESCA = _define(
    "tcga_esca",
    cancer="esophageal carcinoma",
    patients="16 patients, CT",
    citation=(
        "Lucchesi FR, Aredes ND. The Cancer Genome Atlas Esophageal Carcinoma Collection "
        "(TCGA-ESCA) (Version 3) [Data set]. The Cancer Imaging Archive (2016)."
    ),
    doi="10.7937/K9/TCIA.2016.VPTNRGFY",
    body_part="chest",
)

TCGA_KICH = _define(
    "tcga_kich",
    cancer="kidney chromophobe carcinoma",
    patients="15 patients, CT and MR",
    citation=(
        "Linehan MW, Gautam R, Sadow CA, Levine S. The Cancer Genome Atlas Kidney Chromophobe "
        "Collection (TCGA-KICH) (Version 3) [Data set]. The Cancer Imaging Archive (2016)."
    ),
    doi="10.7937/K9/TCIA.2016.YU3RBCZN",
    body_part="abdomen",
)

TCGA_LUAD = _define(
    "tcga_luad",
    cancer="lung adenocarcinoma",
    patients="69 patients, CT, PET and nuclear medicine",
    citation=(
        "Albertina B, Watson M, Holback C, Jarosz R, Kirk S, Lee Y, Rieger-Christ K, Lemmerman J. "
        "The Cancer Genome Atlas Lung Adenocarcinoma Collection (TCGA-LUAD) (Version 4) "
        "[Data set]. The Cancer Imaging Archive (2016)."
    ),
    doi="10.7937/K9/TCIA.2016.JGNIHEP5",
    body_part="chest",
)

DATASETS = (TCGA_ESCA, TCGA_KICH, TCGA_LUAD)
