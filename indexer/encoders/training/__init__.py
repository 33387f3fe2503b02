"""Training of an image tower into a frozen text space: locked-image tuning turned round.

The text tower is locked and the image tower learns (after Zhai et al., LiT, CVPR 2022, where it
is the other way about), so image, caption and question embeddings share one space.
"""
