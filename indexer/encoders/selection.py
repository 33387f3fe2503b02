"""Which encoder embeds images and which embeds texts: what was asked for, else the defaults."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.load import load_encoder
from indexer.errors import EncoderError

DEFAULT_IMAGE_ENCODER = "builtin"
DEFAULT_TEXT_ENCODER = "minilm"
DEFAULT_CHINESE_ENCODER = "e5-small-zh"


@dataclass(frozen=True, slots=True)
class Encoders:
    """The encoders of image fields, of text fields, and of the texts' fields in Chinese.

    `chinese` is None where `text` reads Chinese, or nothing in Chinese is to be embedded. Two of
    them may be one and the same.
    """

    image: ImageEncoder
    text: TextEncoder
    chinese: TextEncoder | None = None


def select_encoders(
    keys: Sequence[str],
    *,
    device: str | None = None,
    languages: Collection[str] = ("en", "zh"),
) -> Encoders:
    """Load the encoders that were named; a default takes each place that none of them fills.

    An encoder with an image tower takes the image fields. Text fields (captions, questions) go to
    a text-only encoder if one was named, else to the default text encoder: the text towers of
    image encoders are trained on short captions and rank questions worse. One that reads Chinese
    alone takes Chinese texts and leaves the others to another. `languages` are those of the texts.

    Raises
    ------
    EncoderError
        Two encoders were named for the same place.
    EncoderUnavailableError
        A model's weights are not on this machine.
    """
    image: ImageEncoder | None = None
    text: TextEncoder | None = None
    chinese: TextEncoder | None = None
    for key in keys:
        encoder = load_encoder(key, device=device)
        if isinstance(encoder, ImageEncoder):
            if image is not None:
                raise _two_of(key, image.spec.key, "image")
            image = encoder
        elif encoder.spec.languages == ("zh",):
            if chinese is not None:
                raise _two_of(key, chinese.spec.key, "Chinese text")
            chinese = encoder
        else:
            if text is not None:
                raise _two_of(key, text.spec.key, "text")
            text = encoder
    image = image or _as_image(load_encoder(DEFAULT_IMAGE_ENCODER, device=device))
    text = text or load_encoder(DEFAULT_TEXT_ENCODER, device=device)
    if "zh" in text.spec.languages:
        if chinese is not None:
            raise _two_of(chinese.spec.key, text.spec.key, "Chinese text")
        return Encoders(image, text)
    if chinese is None and "zh" in languages:
        chinese = load_encoder(DEFAULT_CHINESE_ENCODER, device=device)
    return Encoders(image, text, chinese)


def _as_image(encoder: TextEncoder | ImageEncoder) -> ImageEncoder:
    if not isinstance(encoder, ImageEncoder):
        message = f"the encoder {encoder.spec.key!r} has no image tower"
        raise EncoderError(message, remedy="Name one that has: `medsearch encoders` lists them.")
    return encoder


def _two_of(key: str, earlier: str, place: str) -> EncoderError:
    return EncoderError(
        f"Both {earlier!r} and {key!r} would embed {place} fields.",
        remedy="Name at most one image encoder, one text encoder and one for Chinese alone.",
    )
