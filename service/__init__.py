"""Queries: retrieval, HTTP, the page, prompting and evaluation over the indexes."""
