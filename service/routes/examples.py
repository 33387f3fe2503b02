"""Examples that the documentation shows, and that tests send."""

from typing import Any

FILTER_EXAMPLE: dict[str, Any] = {
    "type": "and",
    "filters": [
        {"type": "eq", "key": "modality", "value": "CT"},
        {"type": "gte", "key": "age_years", "value": 60},
    ],
}

TEXT_EXAMPLES: dict[str, Any] = {
    "words": {
        "summary": "Images for words",
        "value": {"query": "chest CT with contrast", "k": 5},
    },
    "filtered": {
        "summary": "Only CT of people of 60 or more, each case once",
        "value": {
            "query": "lung nodule",
            "k": 5,
            "filters": FILTER_EXAMPLE,
            "group_by": "case",
        },
    },
}

QUESTION_EXAMPLES: dict[str, Any] = {
    "english": {
        "summary": "A question in English",
        "value": {"query": "What is the first-line treatment of anaphylaxis?", "k": 3},
    },
    "chinese": {
        "summary": "A question in Chinese",
        "value": {"query": "胸痛伴出汗应首先做什么检查？", "k": 3},
    },
}

PROMPT_EXAMPLES: dict[str, Any] = {
    "question": {
        "summary": "A prompt of at most 1500 tokens",
        "value": {
            "question": "What is the first-line treatment of anaphylaxis?",
            "budget_tokens": 1500,
        },
    },
    "with_image": {
        "summary": "With similar cases of an indexed image",
        "value": {
            "question": "What could this finding be?",
            "record_id": "mura/valid/patient00011:study1:image1",
        },
    },
}
