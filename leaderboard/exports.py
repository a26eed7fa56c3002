"""Tables as files: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import HttpResponse, HttpResponseBadRequest

from leaderboard.columns import Table

# A spreadsheet takes a text that begins so for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def exported_as(kind: str, name: str, table: Table) -> HttpResponse:
    """Return the table as a file to save, or say with 400 which kinds there are."""
    if kind not in KINDS:
        return HttpResponseBadRequest(
            f"There is no format “{kind[:40]}”: it can be csv or json.\n",
            content_type="text/plain; charset=utf-8",
        )
    content_type, write = KINDS[kind]
    response = HttpResponse(write(table), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def as_csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.names)
    writer.writerows([csv_cell(value) for value in record] for record in table.records)
    return text.getvalue()


def csv_cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value


def as_json(table: Table) -> str:
    records = [dict(zip(table.names, record, strict=True)) for record in table.records]
    return json.dumps(records, default=json_value, ensure_ascii=False, indent=1)


def json_value(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


KINDS: dict[str, tuple[str, Callable[[Table], str]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}
