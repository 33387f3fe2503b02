"""DICOM instances: their header, their values in real-world units, and what a viewer would show."""

from indexer.pixels.header import DicomHeader, read_header

__all__ = ["DicomHeader", "read_header"]
