"""Fetch an encoder's files from the model hub. The only place that reaches for the network."""

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.encoders.catalogue import get_model_spec
from indexer.encoders.chinese_adapter import chinese_folder
from indexer.encoders.local_models import MODELS_VARIABLE
from indexer.encoders.reasons import reason_of
from indexer.errors import EncoderError, EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.encoders.spec import ModelSpec

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
    spec = get_model_spec(key)
    if spec.key == "builtin":
        spec = get_model_spec("minilm")  # its image tower comes with medsearch
    if spec.key == "e5-small-zh":
        return [chinese_folder()]  # all of it comes with medsearch
    folders = [_fetch(spec, spec.model.removeprefix("hf-hub:"), spec.revision, report)]
    for companion in spec.companions:
        repository, _, revision = companion.partition("@")
        folders.append(_fetch(spec, repository, revision, report))
    return folders


def _fetch(spec: "ModelSpec", repository: str, revision: str, report: "Report | None") -> "Path":
    try:
        from huggingface_hub.errors import GatedRepoError
    except ImportError as error:
        raise EncoderError(
            "Fetching a model needs the package huggingface_hub.",
            remedy="pip install huggingface_hub",
        ) from error
    if report:
        report(f"{repository} ({revision[:12]})")
    try:
        return _download(repository, revision, weights=_gives_weights(spec, repository))
    except GatedRepoError as error:
        raise EncoderUnavailableError(
            f"{repository} is given only to those who accepted its licence.",
            remedy=f"Accept it at {spec.source}, run `hf auth login`, then try again.",
        ) from error
    except Exception as error:  # the client's transport errors share no stable base
        raise EncoderUnavailableError(
            f"{repository} cannot be fetched: {reason_of(error)}",
            remedy="Check the connection, or name a mirror by HF_ENDPOINT; or copy the model's "
            f"folder from another machine to ${MODELS_VARIABLE}/{spec.key}.",
        ) from error


def _download(repository: str, revision: str, *, weights: bool) -> "Path":
    """Download what loading needs: small files, and safetensors or else pickles if asked for."""
    from huggingface_hub import snapshot_download

    wanted = [*_SMALL_FILES, "*.safetensors"] if weights else [*_SMALL_FILES]
    left_out = list(_LEFT_OUT)
    folder = Path(
        snapshot_download(
            repository, revision=revision, allow_patterns=wanted, ignore_patterns=left_out
        )
    )
    if weights and not any(folder.glob("*.safetensors")):
        snapshot_download(
            repository, revision=revision, allow_patterns=[*_PICKLES], ignore_patterns=left_out
        )
        if not any(folder.glob("*.bin")):
            raise FileNotFoundError(f"{repository} holds no weights that can be read")
    return folder


def _gives_weights(spec: "ModelSpec", repository: str) -> bool:
    """Tell whether weights are wanted: of an open_clip model's companion only its configuration."""
    return spec.family != "open_clip" or spec.model.endswith(repository)
