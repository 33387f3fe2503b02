"""Writers of the datasets' genuine layouts, filled with phantoms and invented texts."""
