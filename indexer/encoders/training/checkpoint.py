"""What a run needs to go on after an interruption, in one file that holds no code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from indexer.encoders.builtin.tower import replace_file
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from torch import nn

NAME = "checkpoint.safetensors"


@dataclass(slots=True)
class TrainingState:
    """All that changes during a run: `step` counts finished steps, `average` is the EMA tower."""

    tower: "nn.Module"
    average: "nn.Module"
    log_scale: torch.Tensor
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0


def save_checkpoint(folder: Path, state: TrainingState, plan_digest: str) -> None:
    """Write the state atomically: one safetensors file whose header holds the JSON part."""
    from safetensors.torch import save

    tensors = {f"tower.{name}": value for name, value in state.tower.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    tensors["log_scale"] = state.log_scale.detach()
    for index, moments in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    content = {"step": state.step, "seconds": state.seconds, "plan": plan_digest}
    plain = {name: value.cpu().contiguous().clone() for name, value in tensors.items()}
    replace_file(folder / NAME, save(plain, metadata={"state": json.dumps(content)}))


def restore_checkpoint(folder: Path, state: TrainingState, plan_digest: str) -> bool:
    """Bring `state` to where the checkpoint left it; False if there is no checkpoint.

    Raises
    ------
    EncoderError
        The checkpoint is damaged or of another plan.
    """
    path = folder / NAME
    if not path.is_file():
        return False
    content, tensors = _read(path)
    if content["plan"] != plan_digest:
        raise EncoderError(
            f"{path}: a checkpoint of another plan.",
            remedy="Go on with the plan that it was begun with, or remove the file to start anew.",
        )
    state.tower.load_state_dict(_part(tensors, "tower."))
    state.average.load_state_dict(_part(tensors, "average."))
    with torch.no_grad():
        state.log_scale.copy_(tensors["log_scale"])
    _restore_optimiser(state.optimiser, _part(tensors, "optimiser."))
    state.step, state.seconds = int(content["step"]), float(content["seconds"])
    return True


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            content: dict[str, Any] = json.loads(stored.metadata()["state"])
            return content, {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"{path}: not a readable checkpoint ({error}).",
            remedy="Remove the file to start anew.",
        ) from error


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        moments.setdefault(int(index), {})[name] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({**whole, "state": moments})
