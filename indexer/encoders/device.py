"""Where a model runs and in which arithmetic."""

from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.encoders.base import Embeddings

Precision: TypeAlias = Literal["float32", "bfloat16"]
Model = TypeVar("Model")

PROBE_COSINE = 0.999
"""Each probe's embedding in bfloat16 must be at least this close to its float32 one."""


def choose_device(requested: str | None = None) -> str:
    """Return the device to use: the one asked for, else CUDA, then MPS, then CPU.

    Raises
    ------
    EncoderError
        The device that was asked for is unknown or not there.
    """
    import torch

    if requested is None:
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(requested)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise EncoderError(
            f"The device {requested!r} cannot be used: {str(error).splitlines()[0]}",
            remedy="Use cpu, cuda, cuda:N or mps, or leave the device out.",
        ) from error
    return str(device)


def supports_bfloat16(device: str) -> bool:
    """Tell whether the hardware multiplies bfloat16 matrices faster than float32 ones.

    CPU: AVX512-BF16 or AMX (without them bfloat16 is emulated, and slower). CUDA: compute
    capability 8.0 and later. MPS: no, its float32 is as quick and some operators lack bfloat16.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind == "cpu":
        instructions = torch.cpu.get_capabilities()
        return bool(instructions.get("avx512_bf16") or instructions.get("amx_bf16"))
    return False


def use_one_thread(device: str) -> None:
    """Make torch compute on the calling thread alone when it runs on the CPU.

    The order of additions in a matrix product may depend on how many threads share it, so one
    thread is what makes embeddings equal bit for bit whatever the machine's core count. Encoders
    call it at each encoding, because torch keeps the number by thread as well as by process.
    Parallelism comes from several encodings at once: torch releases the interpreter lock.
    """
    if device.startswith("cpu"):
        import torch

        if torch.get_num_threads() != 1:
            torch.set_num_threads(1)


def settle_precision(
    load: "Callable[[], Model]",
    lower: "Callable[[Model], Model]",
    embed_probes: "Callable[[Model], Embeddings]",
    *,
    device: str,
    requested: Precision | None,
) -> "tuple[Model, Precision]":
    """Load a model in bfloat16 where the hardware has it and the model bears it, else in float32.

    `load` gives it in float32, `lower` turns it into bfloat16 (and may use it up), `embed_probes`
    embeds the same few inputs by it: float32 (n, d), unit rows. bfloat16 is taken only if every
    row's cosine to its float32 twin is `PROBE_COSINE` or more; that bound is what lets both
    arithmetics share one index. A request is obeyed, but bfloat16 below the bound is refused.

    Raises
    ------
    EncoderError
        bfloat16 was asked for, and the model loses too much by it.
    """
    model = load()
    if requested == "float32" or (requested is None and not supports_bfloat16(device)):
        return model, "float32"
    exact = embed_probes(model)
    model = lower(model)
    worst = float((exact * embed_probes(model)).sum(axis=1).min())
    if worst >= PROBE_COSINE:
        return model, "bfloat16"
    if requested is None:
        return load(), "float32"
    raise EncoderError(
        f"In bfloat16 this model's embeddings differ too much from float32 (cosine {worst:.4f}, "
        f"{PROBE_COSINE} is asked for).",
        remedy="Use float32.",
    )
