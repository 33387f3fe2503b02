"""Opening the download of a dataset by name, whatever its source."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.datasets.registry import get_dataset
from indexer.errors import AccessDeniedError
from indexer.fetching.base import Fetch, FetchOptions
from indexer.fetching.sources import HubSource, KaggleSource, ManualSource, get_source
from indexer.fetching.staging import Staging
from indexer.fetching.web import Web


@contextmanager
def open_fetch(name: str, data_dir: Path, options: FetchOptions) -> Iterator[Fetch]:
    """Ask a dataset's source what there is; its `run` puts it into `data_dir/name`.

    Nothing is written before `run`.

    Raises
    ------
    UnknownNameError
        No dataset has that name.
    AccessDeniedError
        Only a person can get it; the remedy says how, step by step.
    TargetOccupiedError
        Other files lie where it belongs.
    FetchError
        The source does not answer, or does not have it.
    """
    dataset = get_dataset(name)
    source = get_source(name)
    if isinstance(source, ManualSource):
        raise AccessDeniedError(
            f"{dataset.info.title} cannot be fetched by a program.",
            remedy="\n".join(f"{n}. {step}" for n, step in enumerate(source.steps, start=1)),
        )
    staging = Staging(dataset.info, data_dir)
    with Web(options.patience) as web:
        if isinstance(source, HubSource):
            from indexer.fetching.hub import HubFetch

            yield HubFetch(dataset.info, source, staging, options, web)
        elif isinstance(source, KaggleSource):
            from indexer.fetching.kaggle import KaggleFetch

            yield KaggleFetch(dataset, source, staging, web)
        else:
            from indexer.fetching.nbia import NbiaFetch

            yield NbiaFetch(dataset.info, source, staging, options, web)
