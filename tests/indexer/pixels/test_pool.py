"""The pool against what kills, stalls and starves its workers. Real processes, real signals."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.decode import DecodedImage, DecodeRequest, decode_image
from indexer.pixels.limits import MEBIBYTE, DecodeLimits, Patience
from indexer.pixels.pool import DecodePool
from indexer.records import ImageRef

LIMITS = DecodeLimits(memory_bytes=512 * MEBIBYTE, wall_clock_s=20)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(2, LIMITS) as shared:
        yield shared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encode_raster: Any) -> Path:
    """Twenty small images, no two alike."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(5)
    for number in range(20):
        noise = rng.integers(0, 256, (24 + number, 32), dtype=np.uint8)
        (root / f"{number:02}.png").write_bytes(encode_raster(Image.fromarray(noise)))
    return root


def _file(root: Path, name: str) -> DecodeRequest:
    return DecodeRequest(root=root, ref=ImageRef(path=name), px=32, resize="letterbox")


def _upload(raw: bytes) -> DecodeRequest:
    return DecodeRequest(raw=raw, px=32, resize="letterbox")


def _same(first: object, second: object) -> bool:
    assert isinstance(first, DecodedImage)
    assert isinstance(second, DecodedImage)
    return (
        bool((first.pixels == second.pixels).all())
        and first.thumbnail == second.thumbnail
        and first.sha256 == second.sha256
        and first.fingerprint_bits == second.fingerprint_bits
        and (first.width_px, first.height_px) == (second.width_px, second.height_px)
    )


def test_a_stream_comes_back_in_order_and_as_decoded_in_process(
    pool: DecodePool, folder: Path
) -> None:
    requests = [_file(folder, f"{number:02}.png") for number in range(20)] * 3
    outcomes = list(pool.decode(requests))
    assert len(outcomes) == 60
    for request, outcome in zip(requests, outcomes, strict=True):
        assert _same(outcome, decode_image(request))


def test_what_has_no_image_keeps_its_place(pool: DecodePool, folder: Path) -> None:
    pairs = [
        (number, _file(folder, f"{number % 20:02}.png") if number % 3 else None)
        for number in range(50)
    ]
    decoded = list(pool.decode_pairs(pairs))
    assert [number for number, _ in decoded] == list(range(50))
    for (_, request), (_, outcome) in zip(pairs, decoded, strict=True):
        if request is None:
            assert outcome is None
        else:
            assert _same(outcome, decode_image(request))


def test_uploads_and_files_may_alternate(pool: DecodePool, folder: Path) -> None:
    names = [f"{number:02}.png" for number in range(20)]
    requests = [
        _upload((folder / name).read_bytes()) if number % 3 else _file(folder, name)
        for number, name in enumerate(names)
    ]
    for name, outcome in zip(names, pool.decode(requests), strict=True):
        assert _same(outcome, decode_image(_file(folder, name)))


def test_errors_keep_their_place_and_their_type(
    pool: DecodePool, folder: Path, build_dicom: Any
) -> None:
    report = build_dicom(np.zeros((2, 2), np.uint8), Modality="SR")
    requests = [_file(folder, "00.png"), _file(folder, "absent.png"), _upload(report)]
    image, absent, no_image = pool.decode(requests)
    assert isinstance(image, DecodedImage)
    assert isinstance(absent, DecodeError)
    assert "absent.png" in str(absent)
    assert isinstance(no_image, NotAnImageError)
    with pytest.raises(NotAnImageError):
        pool.decode_one(_upload(report))


def test_the_stream_is_read_no_further_than_needed(folder: Path) -> None:
    taken = itertools.count()
    endless = (_file(folder, f"{next(taken) % 20:02}.png") for _ in itertools.repeat(None))
    with DecodePool(1, LIMITS) as pool:
        outcomes = pool.decode(endless)
        for _ in range(10):
            assert isinstance(next(outcomes), DecodedImage)
        assert next(taken) <= 40
        outcomes.close()  # type: ignore[attr-defined]


def test_rows_and_members_are_read_by_the_workers(
    pool: DecodePool, folder: Path, tmp_path: Path
) -> None:
    names = [f"{number:02}.png" for number in range(20)]
    cells = [{"bytes": (folder / name).read_bytes(), "path": name} for name in names]
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet", row_group_size=6)
    hu = np.arange(-512, 512, dtype=np.int16).reshape(2, 16, 32)
    np.savez(tmp_path / "a.npz", image=hu)
    refs = [ImageRef(path="a.parquet", row=row) for row in range(20)]
    refs += [ImageRef(path="a.npz", row=row) for row in range(2)]
    requests = [DecodeRequest(root=tmp_path, ref=ref, px=32, resize="letterbox") for ref in refs]
    *rows, first, second = pool.decode(requests)
    for name, outcome in zip(names, rows, strict=True):
        assert _same(outcome, decode_image(_file(folder, name)))
    assert isinstance(first, DecodedImage)
    assert isinstance(second, DecodedImage)
    assert first.pixels.mean() < second.pixels.mean()


def test_many_threads_may_share_the_pool(pool: DecodePool, folder: Path) -> None:
    results: dict[int, DecodedImage] = {}

    def decode(number: int) -> None:
        results[number] = pool.decode_one(_file(folder, f"{number:02}.png"))

    threads = [threading.Thread(target=decode, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(12):
        assert _same(results[number], decode_image(_file(folder, f"{number:02}.png")))


def test_a_worker_killed_while_idle_is_replaced(folder: Path) -> None:
    with DecodePool(1, LIMITS) as pool:
        pool.decode_one(_file(folder, "00.png"))
        (before,) = pool.worker_pids
        os.kill(before, signal.SIGKILL)
        assert isinstance(pool.decode_one(_file(folder, "01.png")), DecodedImage)
        (after,) = pool.worker_pids
        assert after != before


def test_a_worker_killed_while_it_decodes_hurts_nobody(folder: Path) -> None:
    with DecodePool(1, LIMITS) as pool:
        pool.decode_one(_file(folder, "00.png"))
        (victim,) = pool.worker_pids
        os.kill(victim, signal.SIGSTOP)  # it will certainly be busy when it is killed
        killer = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
        killer.start()
        assert isinstance(pool.decode_one(_file(folder, "01.png")), DecodedImage)
        killer.join()
        assert victim not in pool.worker_pids


def test_killing_workers_again_and_again_loses_no_image_of_a_stream(folder: Path) -> None:
    requests = [_file(folder, f"{number % 20:02}.png") for number in range(120)]
    with DecodePool(2, LIMITS) as pool:
        outcomes = []
        for outcome in pool.decode(requests):
            outcomes.append(outcome)
            if len(outcomes) in (10, 50):
                os.kill(pool.worker_pids[0], signal.SIGKILL)
        assert all(isinstance(outcome, DecodedImage) for outcome in outcomes)
        assert len(outcomes) == 120


def test_an_image_that_kills_every_worker_fails_alone(folder: Path) -> None:
    with DecodePool(1, LIMITS) as pool:
        pool.decode_one(_file(folder, "00.png"))
        done = threading.Event()

        def murder() -> None:
            while not done.is_set():
                for pid in pool.worker_pids:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)

        murderer = threading.Thread(target=murder)
        murderer.start()
        try:
            with pytest.raises(DecodeError, match="die of it"):
                pool.decode_one(_file(folder, "01.png"))
        finally:
            done.set()
            murderer.join()
        assert isinstance(pool.decode_one(_file(folder, "02.png")), DecodedImage)


def test_a_worker_that_hangs_is_killed_and_only_its_image_fails(folder: Path) -> None:
    with DecodePool(1, DecodeLimits(wall_clock_s=1)) as pool:
        pool.decode_one(_file(folder, "00.png"))
        (stuck,) = pool.worker_pids
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(LimitExceededError, match=r"longer than 1 s"):
            pool.decode_one(_file(folder, "01.png"))
        assert isinstance(pool.decode_one(_file(folder, "02.png")), DecodedImage)
        assert stuck not in pool.worker_pids


def test_a_killed_worker_is_replaced_before_anybody_needs_it(folder: Path) -> None:
    with DecodePool(1, DecodeLimits(wall_clock_s=1)) as pool:
        pool.decode_one(_file(folder, "00.png"))
        (stuck,) = pool.worker_pids
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(LimitExceededError):
            pool.decode_one(_file(folder, "01.png"))
        (fresh,) = pool.worker_pids
        assert fresh != stuck
        assert isinstance(pool.decode_one(_file(folder, "02.png")), DecodedImage)
        assert pool.worker_pids == (fresh,)


def test_an_image_that_takes_too_long_is_stopped(encode_raster: Any) -> None:
    slow = encode_raster(Image.new("RGB", (7000, 7000)), compress_level=1)
    too_short = DecodePool(1, DecodeLimits(wall_clock_s=0.05))
    with too_short as pool, pytest.raises(LimitExceededError, match=r"longer than 0\.05 s"):
        pool.decode_one(_upload(slow))


def test_images_of_one_request_share_its_patience(folder: Path, encode_raster: Any) -> None:
    slow = encode_raster(Image.new("RGB", (7000, 7000)), compress_level=1)
    with DecodePool(1, DecodeLimits(wall_clock_s=0.4)) as pool:
        pool.decode_one(_file(folder, "00.png"))
        patience = Patience(0.6)
        began = time.monotonic()
        for _ in range(10):
            with pytest.raises(LimitExceededError, match=r"longer than 0\.4 s"):
                pool.decode_one(_upload(slow), patience)
        assert patience.left_s <= 0
        assert time.monotonic() - began < 10 * 0.4
        assert isinstance(pool.decode_one(_file(folder, "00.png"), Patience(9)), DecodedImage)


def test_a_memory_bomb_is_refused_and_the_worker_lives(encode_raster: Any) -> None:
    bomb = encode_raster(Image.new("RGB", (7000, 7000)), compress_level=1)
    limits = DecodeLimits(memory_bytes=100 * MEBIBYTE)
    with DecodePool(1, limits) as pool:
        with pytest.raises(LimitExceededError, match="memory"):
            pool.decode_one(_upload(bomb))
        tiny = encode_raster(Image.new("L", (2, 2)))
        assert pool.decode_one(_upload(tiny)).width_px == 2


def test_large_uploads_pass_through_the_pipe(pool: DecodePool, encode_raster: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500), dtype=np.uint8)
    raw = encode_raster(Image.fromarray(noise), "BMP")
    outcomes = list(pool.decode([_upload(raw)] * 4))
    assert all(_same(outcome, outcomes[0]) for outcome in outcomes)


def test_workers_end_with_the_pool(folder: Path) -> None:
    with DecodePool(2, LIMITS) as pool:
        list(pool.decode([_file(folder, f"{number:02}.png") for number in range(20)]))
        pids = pool.worker_pids
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(DecodeError, match="closed"):
        pool.decode_one(_file(folder, "00.png"))
    pool.close()


def test_workers_end_when_their_parent_is_killed(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from indexer.pixels.pool import DecodePool;"
        "from indexer.pixels.decode import DecodeRequest; from indexer.records import ImageRef;"
        "pool = DecodePool(1); ref = ImageRef(path='00.png');"
        "pool.decode_one(DecodeRequest(root=Path(sys.argv[1]), ref=ref, px=8, resize='squash'));"
        "print(pool.worker_pids[0], flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        if "\nState:\tZ" in Path(f"/proc/{worker}/status").read_text():
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{worker}").exists()


def test_workers_see_no_secrets_and_can_write_no_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSEARCH_PSEUDONYM_KEY", "0123456789abcdef")
    with DecodePool(1, LIMITS) as pool:
        pool.decode_one(_file(folder, "00.png"))
        (pid,) = pool.worker_pids
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        limits = Path(f"/proc/{pid}/limits").read_text()
    assert b"PSEUDONYM" not in environment
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert rows["Max file size"] == ["0", "0"]
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max address space"][0] != "unlimited"


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least one"):
        DecodePool(0)
