"""The columns of the files and how a row is written: tab-separated, quoted as RFC 4180 says."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

LOG_COLUMNS = (
    "Timestamp", "TimestampTime", "TraceId", "SpanId", "TraceFlags", "SeverityText", "SeverityNumber",
    "ServiceName", "Body", "ResourceSchemaUrl", "ResourceAttributes", "ScopeSchemaUrl", "ScopeName",
    "ScopeVersion", "ScopeAttributes", "LogAttributes",
)  # fmt: skip
EVENT_NAME_COLUMN = "EventName"
TRACE_COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName",
    "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode",
    "StatusMessage", "Events.Timestamp", "Events.Name", "Events.Attributes", "Links.TraceId", "Links.SpanId",
    "Links.TraceState", "Links.Attributes",
)  # fmt: skip
SERVICE_COLUMNS = (
    "metric_name", "timestamp", "value", "service_name", "namespace", "bucket_le", "tags", "metric_type",
    "status_code",
)  # fmt: skip
POD_COLUMNS = ("metric_name", "timestamp", "value", "pod_name", "namespace", "tags")


class Table:
    """A file that rows are added to. Nothing but the operating system's buffer is kept in memory."""

    def __init__(self, path: Path, columns: Iterable[str]) -> None:
        # newline="": the csv module writes its own line ends, and newlines inside fields stay as they are.
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        writer = csv.writer(self._file, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        self.add = writer.writerow
        self.add_all = writer.writerows

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
