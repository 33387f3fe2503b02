"""Where a mirror of a PACS keeps what is not an image."""

from pathlib import Path

JOURNAL = Path(".mirror", "journal.sqlite")
"""What belongs to the mirror alone; hidden, so that no reader takes it for content."""
REFUSED_TABLE = "refused.jsonl"
"""The instances that the PACS listed and could not give: `file`, `reason`."""
