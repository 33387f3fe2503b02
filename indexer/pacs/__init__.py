"""Mirrors a PACS over DICOMweb: what it holds becomes files, named by pseudonyms, to be indexed."""
