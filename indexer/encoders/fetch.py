"""Fetch an encoder's files from the model hub. The only place that reaches for the network."""

from typing import TYPE_CHECKING

from indexer.encoders.catalogue import get_spec
from indexer.encoders.local_models import MODELS_VARIABLE
from indexer.errors import EncoderError, EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer.encoders.spec import EncoderSpec

    Report = Callable[[str], None]

# Files at the top of a repository or in a module's folder that loading needs besides the weights.
_SMALL_FILES = ("*.json", "*.txt", "*.model", "README.md", "LICENSE*")
_LEFT_OUT = ("onnx/*", "openvino/*", "example_data/*", "*.msgpack", "*.h5")
_PICKLES = ("pytorch_model*.bin", "open_clip_pytorch_model.bin")


def fetch_encoder(key: str, *, report: "Report | None" = None) -> "list[Path]":
    """Download a catalogue entry's model into the hub's cache and return its folders.

    Safetensors are taken if the repository has them, else its `.bin` files. Progress bars are the
    hub client's own; `report` hears which repository is next. Honours `HF_ENDPOINT`, `HF_HOME`,
    `HF_HUB_CACHE` and `HF_TOKEN`. What is already there is not fetched again.

    Raises
    ------
    UnknownNameError
        No such entry.
    EncoderUnavailableError
        The hub cannot be reached, or does not give the model without an accepted licence.
    """
    spec = get_spec(key)
    if spec.key == "builtin":
        spec = get_spec("minilm")  # its image tower comes with medsearch
    folders = [_fetch(spec, spec.model.removeprefix("hf-hub:"), spec.revision, report)]
    for companion in spec.companions:
        repository, _, revision = companion.partition("@")
        folders.append(_fetch(spec, repository, revision, report))
    return folders


def _fetch(spec: "EncoderSpec", repository: str, revision: str, report: "Report | None") -> "Path":
    from pathlib import Path

    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled
    except ImportError as error:
        raise EncoderError(
            "Fetching a model needs the package huggingface_hub.",
            remedy="pip install huggingface_hub",
        ) from error
    if report:
        report(f"{repository} ({revision[:12]})")
    try:
        names = HfApi().list_repo_files(repository, revision=revision)
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=_wanted(spec, repository, names),
            ignore_patterns=list(_LEFT_OUT),
        )
    except GatedRepoError as error:
        raise EncoderUnavailableError(
            f"{repository} is given only to those who accepted its licence.",
            remedy=f"Accept it at {spec.source}, run `hf auth login`, then try again.",
        ) from error
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        raise EncoderUnavailableError(
            f"{repository} cannot be fetched: {str(error).strip().splitlines()[0]}",
            remedy="Check the connection, or a mirror by HF_ENDPOINT; or copy the model's folder "
            f"from another machine to ${MODELS_VARIABLE}/{spec.key}.",
        ) from error
    return Path(folder)


def _wanted(spec: "EncoderSpec", repository: str, names: "Sequence[str]") -> list[str]:
    """Return the patterns to fetch: a companion of an open_clip model gives no weights."""
    small = list(_SMALL_FILES)
    if spec.family == "open_clip" and not spec.model.endswith(repository):
        return small
    safe = any(name.endswith(".safetensors") and "/" not in name for name in names)
    return [*small, *(["*.safetensors"] if safe else _PICKLES)]
