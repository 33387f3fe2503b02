"""The classes of images that can be asked for in words."""

from dataclasses import dataclass

import numpy as np

from service.evaluation.collection import ImageCollection, Mask

LEAST_OF_CLASS = 10
"""Images that a class needs to be asked for: with fewer, a P@10 of 1 cannot be reached."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageClass:
    """Words, and which images they name: `inside` the place, `bearing` the label there too."""

    text: str
    modality: str
    body_part: str
    inside: Mask
    bearing: Mask


def find_classes(images: ImageCollection, *, with_labels: bool) -> list[ImageClass]:
    """Return the classes of images with enough members, in a stable order."""
    classes: list[ImageClass] = []
    places = images.places
    for place in np.unique(places[places != ""]):
        inside = places == place
        rows = np.flatnonzero(inside).tolist()
        modality, part = str(images.modalities[rows[0]]), str(images.body_parts[rows[0]])
        text = f"{modality} of the {part}"
        if not with_labels:
            classes.append(ImageClass(text, modality, part, inside, inside))
            continue
        for label in sorted(set().union(*(images.labels[row] for row in rows))):
            bearing = np.zeros(len(images), bool)
            bearing[[row for row in rows if label in images.labels[row]]] = True
            words = f"{text}, {label.replace('_', ' ')}"
            classes.append(ImageClass(words, modality, part, inside, bearing))
    return [one for one in classes if one.bearing.sum() >= LEAST_OF_CLASS]
