"""The page: static files below `static/`, served as they are."""
