import pytest
import torch

from indexer.encoders.pixel_input import PixelInput, read_open_clip_input, read_transformers_input
from indexer.encoders.spec import ImageInput
from indexer.errors import EncoderError

GREY = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


@pytest.mark.parametrize(
    ("mode", "resize"),
    [("shortest", "shortest_crop"), ("squash", "squash"), ("longest", "letterbox")],
)
def test_open_clips_manner_of_resizing_is_kept(mode: str, resize: str) -> None:
    found = read_open_clip_input({"size": (224, 224), "resize_mode": mode, **GREY})
    assert found.image_input == ImageInput(px=224, resize=resize)  # type: ignore[arg-type]


def test_one_number_is_a_square() -> None:
    assert (
        read_open_clip_input({"size": 336, "resize_mode": "squash", **GREY}).image_input.px == 336
    )


@pytest.mark.parametrize(
    "change", [{"resize_mode": "tile"}, {"size": (224, 448)}, {"mean": (0.5,)}]
)
def test_what_cannot_be_done_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(EncoderError):
        read_open_clip_input({"size": 224, "resize_mode": "squash", **GREY, **change})


def test_clip_of_transformers_crops_and_siglip_squashes() -> None:
    numbers = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    clip = {"do_center_crop": True, "crop_size": 224, "size": 224, **numbers}
    assert read_transformers_input(clip).image_input == ImageInput(px=224, resize="shortest_crop")
    siglip = {"size": {"height": 448, "width": 448}, **numbers}
    assert read_transformers_input(siglip).image_input == ImageInput(px=448, resize="squash")


def test_a_processor_without_a_size_is_refused() -> None:
    with pytest.raises(EncoderError, match="None x None"):
        read_transformers_input({})


def test_normalising_follows_mean_and_deviation_channel_by_channel() -> None:
    pixels = PixelInput(
        image_input=ImageInput(px=2, resize="squash"), mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 2.0)
    )
    image = torch.tensor([0, 255, 51], dtype=torch.uint8).expand(1, 2, 2, 3)
    normalised = pixels.normaliser("cpu", torch.float32)(image)
    assert normalised.shape == (1, 3, 2, 2)
    torch.testing.assert_close(normalised[0, :, 0, 0], torch.tensor([0.0, 1.0, -0.4]))
    assert pixels.normaliser("cpu", torch.bfloat16)(image).dtype == torch.bfloat16


def test_the_description_names_everything_that_changes_an_embedding() -> None:
    text = PixelInput(
        image_input=ImageInput(px=224, resize="squash"), mean=(0.1, 0.2, 0.3), std=(1, 1, 0.25)
    ).describe()
    assert text == "rgb 224px squash; mean,std 0.1,0.2,0.3,1,1,0.25"
