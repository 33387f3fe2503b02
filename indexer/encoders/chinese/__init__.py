"""The text encoder for Chinese that medsearch brings along, and how its files were made."""
