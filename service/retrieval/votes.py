"""The votes of pictures that are sought by words, of what is stated of them, and of users.

What pictures have to say is the more, the better words find them.
Text encoders know what captions say; how well words find pictures differs from tower to tower. So
every build tries it on captions of its own (`Measured.known`). One point is measured: among 3,022
images, .31 of the captions find their picture among the first hundredth by the built-in tower, and
of the votes .2, .4, .7 and 1, where captions and words have one each, .2 and .4 serve best (P@10 of
labels .84, .83, .80, .76). From there the vote is taken to be in proportion.
"""

from collections.abc import Sequence

from indexer.errors import QueryError
from indexer.store.calibration import Asked
from indexer.store.reader import IndexReader
from service.retrieval.spaces import IMAGE

PICTURES_BY_WORDS = 0.4
"""The vote of pictures in builds that have not tried it."""

# What a query may give a ranking beside 0: sums of such votes neither overflow nor vanish.
_LEAST_ASKED, _MOST_ASKED = 1e-6, 1e6

_VOTE_FOR_KNOWN = 1.3
_LEAST_VOTE = 0.2
_VOTE_FOR_COVERED = 2.0
_LANGUAGE: Asked = "en"  # what the towers of the catalogue read


def vote_of_pictures(readers: Sequence[IndexReader]) -> float:
    """Return the vote of the pictures of some indexes of one space, .2 to 1.

    Of several indexes it is the mean, by their embeddings.
    """
    total = embeddings = 0.0
    for reader in readers:
        calibration = reader.manifest.calibration
        found = calibration.of(_LANGUAGE, IMAGE) if calibration else None
        count = reader.manifest.fields[IMAGE].vectors
        if found is None or found.known is None:
            total += PICTURES_BY_WORDS * count
        else:
            total += min(1.0, max(_LEAST_VOTE, _VOTE_FOR_KNOWN * found.known)) * count
        embeddings += count
    return total / embeddings if embeddings else PICTURES_BY_WORDS


def check_vote(weight: float) -> None:
    """Refuse a vote that no ranking can have: neither 0 nor 1e-6 to 1e6.

    Raises
    ------
    QueryError
        As above.
    """
    if weight != 0 and not _LEAST_ASKED <= weight <= _MOST_ASKED:
        raise QueryError("A weight is out of range.", remedy="Give 0 for no vote, or 1e-6 to 1e6.")


def vote_of_facts(covered: float) -> float:
    """Return the vote of what is stated of images without captions, 1 to 2.

    `covered` is how much of the query it says: all of it is as good as a caption and its words,
    which have one vote each. Of 3,022 radiology images, half of them without captions, P@10 of
    label / label's place / place is .84 / .92 / .78 if facts have no vote where there are captions,
    and .18 of the hits are images without; so .86 / .94 / .84 and .26. In other words than captions
    have .38 / .68 / .34, and so .37 / .68 / .41.
    """
    return max(1.0, _VOTE_FOR_COVERED * covered)
