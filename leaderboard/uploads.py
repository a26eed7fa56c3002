"""Files that staff hand in: no larger than the site takes, and gone when they have been read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from evals.runner.importing import FileReport, ImportWish, import_runs

# Of a form around its files: fields and their boundaries.
FORM_BYTES = 1024 * 1024


def limit_bytes() -> int:
    return settings.ITBENCH_IMPORT_LIMIT_MB * 1024 * 1024


class RefuseTooLarge(FileUploadHandler):
    """Refuses a request by the size that it says it has, before any of it is read or kept."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > limit_bytes() + FORM_BYTES:
            raise RequestDataTooBig(f"more than {settings.ITBENCH_IMPORT_LIMIT_MB} MB")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def import_upload(upload: UploadedFile[Any], wish: ImportWish) -> list[FileReport]:
    """Import a file that was handed in.

    Raises:
        ImportRefused: the wish can't be granted.
    """
    with on_disk(upload) as path:
        return import_runs(path, path.name, wish, lambda _: None)


@contextmanager
def on_disk(upload: UploadedFile[Any]) -> Iterator[Path]:
    """Give the file a place under its own name: endings tell formats apart."""
    with tempfile.TemporaryDirectory(prefix="itbench-import-") as folder:
        path = Path(folder, PurePath(upload.name or "upload").name or "upload")
        with path.open("wb") as written:
            for chunk in upload.chunks():
                written.write(chunk)
        yield path
