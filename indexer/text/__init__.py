"""Text in two languages: normalising, composing questions, tokens of the lexical index."""
