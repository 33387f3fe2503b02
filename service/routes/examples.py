"""Examples that the documentation shows, and that tests send."""

from typing import Any

from service.filter_schemas import FILTER_EXAMPLE

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

ANSWER_EXAMPLES: dict[str, Any] = {
    "question": {
        "summary": "An answer as it comes, with checked citations",
        "value": {"question": "What is the first-line treatment of anaphylaxis?", "stream": True},
    },
}

VECTOR_STORE_EXAMPLES: dict[str, Any] = {
    "question": {
        "summary": "As OpenAI's client asks",
        "value": {
            "query": "How is anaphylaxis treated first?",
            "max_num_results": 3,
            "filters": {"type": "eq", "key": "language", "value": "en"},
            "ranking_options": {"score_threshold": 0.4},
        },
    },
}

EMBEDDING_EXAMPLES: dict[str, Any] = {
    "texts": {
        "summary": "Two texts by the encoder that ships",
        "value": {"model": "minilm", "input": ["fever", "cough"], "encoding_format": "float"},
    },
}

VERIFY_EXAMPLES: dict[str, Any] = {
    "answer": {
        "summary": "An answer, with the receipt that came with its prompt",
        "value": {
            "answer": "Adrenaline is given first [1]. It is injected into the thigh [2].",
            "receipt": {
                "passages": [
                    {
                        "number": 1,
                        "record_id": "medqa/train/us:1",
                        "index": "medqa",
                        "text": "Question: How is anaphylaxis treated first? Answer: Adrenaline.",
                    }
                ],
                "template_version": "answer-2",
                "builds": {"medqa": "20260101t120000000000-0a1b2c3d"},
                "searches": [],
                "created_at": "2026-01-01T12:00:00+00:00",
                "signature": "as /v1/prompts gave it",
                "receipt_version": 1,
            },
        },
    },
}


_RECORD_ID = "mura/valid/XR_WRIST:patient00042:study1:image2"
_FIELD = {"name": "image", "encoder": "builtin", "dim": 384, "metric": "cosine", "vectors": 118}
_INDEX: dict[str, Any] = {
    "name": "mura",
    "dataset": "mura",
    "kind": "image",
    "build_id": "20260101t120000000000-0a1b2c3d",
    "created_at": "2026-01-01T12:00:00.000000+00:00",
    "records": 118,
    "duplicates": 0,
    "rejects": 2,
    "licence": "Stanford University School of Medicine MURA Dataset Research Use Agreement",
    "citation": "Rajpurkar et al., 2018",
    "synthetic": True,
    "fields": [_FIELD],
    "map": {"field": "image", "points": 118, "trustworthiness": 0.991},
}
_RECORD: dict[str, Any] = {
    "record_id": _RECORD_ID,
    "index": "mura",
    "dataset": "mura",
    "split": "valid",
    "source_id": "XR_WRIST/patient00042/study1/image2",
    "case_id": "XR_WRIST:patient00042:study1",
    "language": "en",
    "labels": ["abnormal"],
    "licence": _INDEX["licence"],
    "attribution": None,
    "synthetic": True,
    "url": f"/v1/records/{_RECORD_ID}",
    "kind": "image",
    "modality": "X-ray",
    "body_part": "wrist",
    "abnormal": True,
    "thumbnail_url": f"/v1/records/{_RECORD_ID}/thumbnail",
}


def reply_example(example: object) -> dict[int | str, dict[str, Any]]:
    """Return the part of a route's responses that shows an example of success."""
    return {200: {"content": {"application/json": {"example": example}}}}


ALIVE_REPLY = reply_example({"status": "alive"})
READY_REPLY = reply_example({"ready": True, "builds": {"mura": _INDEX["build_id"]}, "problems": []})
INDEXES_REPLY = reply_example({"indexes": [_INDEX], "problems": []})
INDEX_REPLY = reply_example(
    _INDEX
    | {"filter_fields": [{"key": "body_part", "kind": "category", "values": ["hand", "wrist"]}]}
)
RECORD_REPLY = reply_example(_RECORD)
_VECTOR_STORE: dict[str, Any] = {
    "id": "medqa",
    "object": "vector_store",
    "created_at": 1767268800,
    "name": "medqa",
    "usage_bytes": 1048576,
    "file_counts": {
        "cancelled": 0, "completed": 118, "failed": 2, "in_progress": 0, "total": 120,
    },
    "status": "completed",
    "expires_after": None,
    "expires_at": None,
    "last_active_at": 1767268800,
    "metadata": {"dataset": "medqa", "kind": "text", "licence": "MIT"},
}  # fmt: skip
VECTOR_STORE_REPLY = reply_example(_VECTOR_STORE)
VECTOR_STORES_REPLY = reply_example(
    {
        "object": "list", "data": [_VECTOR_STORE], "first_id": "medqa", "last_id": "medqa",
        "has_more": False,
    }
)  # fmt: skip
PREVIEW_EXAMPLES: dict[str, Any] = {
    "base64": {"summary": "A picture", "value": {"image_base64": "iVBORw0KGgo..."}},
}
ANSWERER_REPLY = reply_example({"model": "qwen3:8b"})
CASE_REPLY = reply_example(
    {
        "index": "mura",
        "case_id": _RECORD["case_id"],
        "records": 1,
        "members": [
            {
                "record_id": _RECORD_ID,
                "series_id": None,
                "slice_number": None,
                "windows": [],
                "url": _RECORD["url"],
            }
        ],
    }
)
INGEST_EXAMPLES: dict[str, Any] = {
    "study": {"summary": "A study that came or went", "value": {"study_uid": "1.2.840.113619.2.1"}}
}
_INGEST: dict[str, Any] = {
    "state": "idle",
    "waiting": 0,
    "running_since": None,
    "failures_in_a_row": 0,
    "last": {
        "started_at": "2026-01-01T12:00:00+00:00",
        "took_s": 41.5,
        "error": None,
        "fetched": 312,
        "deleted": 0,
        "stored": 48210,
        "refused": 1,
        "records": 47988,
    },
}
INGEST_REPLY = reply_example(_INGEST)
MAP_REPLY = reply_example(
    {
        "index": "mura",
        "build_id": _INDEX["build_id"],
        "records": 118,
        **_INDEX["map"],
        "points": 2,
        "record_ids": [_RECORD_ID, "mura/train/XR_HAND:patient00007:study1:image1"],
        "x": [0.412, 0.87],
        "y": [0.133, 0.52],
        "categories": [
            {
                "key": "body_part",
                "values": [{"value": "wrist", "points": 1}, {"value": "hand", "points": 1}],
                "codes": [0, 1],
            }
        ],
    }
)
PLACES_EXAMPLES: dict[str, Any] = {
    "records": {"summary": "Where two hits lie", "value": {"record_ids": [_RECORD_ID]}}
}
METRICS_REPLY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"example": "medsearch_ready 1.0\n"}}}
}
THUMBNAIL_REPLY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"example": "(binary)"}}, "description": "A JPEG."}
}
