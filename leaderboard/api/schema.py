"""What every operation of the schema has in common."""

from __future__ import annotations

from typing import Any

PROBLEM = {
    "type": "object",
    "properties": {"detail": {"type": "string", "description": "What is wrong, in a sentence"}},
    "required": ["detail"],
    "example": {"detail": "page: use a whole number, 1 to 1000000000."},
}
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Send it back as If-None-Match"}}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}


def with_common_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what any request may be answered with; a hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            responses["400"] = problem("A parameter is unknown or has no such value")
            responses["406"] = problem("None of the formats asked for")
            responses["429"] = problem("Too many requests") | {"headers": RETRY_AFTER}
            if method == "post":
                responses |= OF_WRITING
                continue
            responses["200"].setdefault("headers", ETAG)
            responses["304"] = {"description": "Nothing has changed since the answer with that ETag"}
            responses["404"] = problem("There is none, or it is not public")
    return result


def problem(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


OF_WRITING = {
    "401": problem("Nobody is signed in, or the token is none of ours"),
    "403": problem("Whoever is signed in is no staff"),
    "413": problem("Larger than this site takes"),
    "415": problem("Not sent as multipart/form-data"),
}
