"""From the bytes of an image file to arrays: rasters, DICOM instances, CT windows."""
