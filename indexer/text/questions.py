"""The texts of a question record: what is embedded, what is indexed by words, what is shown."""

from indexer.records import Option, TextRecord


def document_text(record: TextRecord) -> str:
    """Return what is embedded as the record's `question` field.

    A patient's note comes before a question that is asked of many notes (MedCalc-Bench): the
    question alone would tell hardly any two records apart, and what stands last is cut off first
    at an encoder's token limit (MiniLM, 250 notes found by their first 40 words: MRR .87 with
    the note first, .82 with the question first). Elsewhere the question comes first and the
    context, a patient's own words, after it. Options and answers stay out: whoever asks does not
    know them.
    """
    parts = [record.question, record.context or ""]
    if record.calculator is not None:
        parts.reverse()
    return "\n".join(part for part in parts if part)


def lexical_text(record: TextRecord) -> str:
    """Return what the lexical index holds: question, context, calculator and options.

    Options are in, unlike in `document_text`: words do not dilute each other as they do in an
    embedding, and a stem such as "which of these is wrong?" is told apart by its options only.
    """
    parts = [record.question, record.context or "", record.calculator or ""]
    parts += [option.text for option in record.options]
    return "\n".join(part for part in parts if part)


def answer_text(record: TextRecord) -> str:
    """Return the answer as it is shown and cited: with its letters or its tolerance, if it has any.

    "C. Ceftriaxone"; "A. ...; D. ..." where several are right; "25.2 (accepted: 23.9 to 26.5)".
    """
    chosen = [option for option in record.options if option.key in record.answer_keys]
    if chosen:
        return "; ".join(map(_label, chosen))
    lower, upper = record.answer_lower, record.answer_upper
    if lower is None or upper is None or lower == upper:
        return record.answer
    return f"{record.answer} (accepted: {lower} to {upper})"


def options_text(record: TextRecord) -> str:
    """Return the options, one a line, each with its letter; "" if there are none."""
    return "\n".join(map(_label, record.options))


def _label(option: Option) -> str:
    return f"{option.key}. {option.text}"
