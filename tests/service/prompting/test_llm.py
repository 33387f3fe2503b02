"""A model's stream leaves nothing half read behind, however it ends."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import aclosing, suppress
from types import AsyncGeneratorType

import pytest

from indexer.errors import MedsearchError
from service.prompting.llm import Endpoint, Llm, Sampling
from tests.service.stand_in_llm import Script, stand_in


@pytest.fixture(scope="module")
def llm() -> Iterator[Script]:
    with stand_in() as script:
        yield script


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def half_read() -> list[str]:
    """Return the names of all asynchronous generators that began and did not end."""
    # `type`, not `isinstance`: some objects do things when they are asked for their class.
    found = [one for one in gc.get_objects() if type(one) is AsyncGeneratorType]
    return [one.__qualname__ for one in found if one.ag_frame is not None]


async def ask(script: Script, *, pieces: int) -> int:
    """Read at most so many pieces, and return how many came."""
    model = Llm(Endpoint(url=script.address, model="m", silence_s=1.0, total_s=2.0))
    read = 0
    with suppress(MedsearchError):
        async with aclosing(model.stream([{"role": "user", "content": "?"}], Sampling())) as answer:
            async for _ in answer:
                read += 1
                if read == pieces:
                    break
    await asyncio.sleep(0)  # what was let go is ended by the loop
    await model.close()
    return read


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("pieces", [1, 1000])
@pytest.mark.parametrize(
    "mode", ["answer", "closed_early", "garbage_later", "error_inside", "silent_later", "endless"]
)
def test_no_stream_stays_half_read(llm: Script, mode: str, pieces: int) -> None:
    llm.mode = mode

    async def look() -> list[str]:
        before = half_read()
        assert await ask(llm, pieces=pieces) > 0
        for _ in range(20):
            await asyncio.sleep(0)
        return [name for name in half_read() if name not in before]

    assert asyncio.run(look()) == []
