"""Finds the datasets: every module of this package that defines `DATASETS` takes part."""

import importlib
import pkgutil
from functools import cache

import indexer.datasets as package
from indexer.datasets.base import Dataset
from indexer.errors import UnknownNameError


@cache
def all_datasets() -> dict[str, Dataset]:
    """Return every dataset by name, sorted by name.

    Raises
    ------
    ValueError
        Two modules define a dataset of the same name.
    """
    found: dict[str, Dataset] = {}
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for dataset in getattr(module, "DATASETS", ()):
            if dataset.info.name in found:
                message = f"two datasets are named {dataset.info.name!r}"
                raise ValueError(message)
            found[dataset.info.name] = dataset
    return dict(sorted(found.items()))


def get_dataset(name: str) -> Dataset:
    """Return the dataset of that name.

    Raises
    ------
    UnknownNameError
        No dataset has that name; the remedy suggests the nearest.
    """
    datasets = all_datasets()
    if name not in datasets:
        raise UnknownNameError("dataset", name, datasets)
    return datasets[name]
