"""Models that turn texts and pixels into unit embeddings, and the catalogue of them."""
