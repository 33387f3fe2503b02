"""The synthetic sample corpus: phantoms and invented texts in the layouts of all ten datasets."""
