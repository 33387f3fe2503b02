"""Queries become ranked hits: encoding, filters, searches field by field, fusion, grouping."""
