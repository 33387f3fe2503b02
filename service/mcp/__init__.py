"""The Model Context Protocol: searches, records and prompts as tools of a chat client."""
