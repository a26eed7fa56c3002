"""The part of a Hugging Face Hub that a dataset is downloaded from, served from a local folder."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

COMMIT = "76df38a82288f75ba9e41dc8c515033332497473"


class LocalHub:
    """Serves one dataset at one commit, also known as `main`, and counts what was fetched."""

    def __init__(self, server: HTTPServer, repository: str, folder: Path) -> None:
        self.repository = repository
        self.folder = folder
        self.endpoint = server.url_for("").rstrip("/")
        self.fetched: list[str] = []
        self.broken: set[str] = set()  # paths that are answered by an error
        server.expect_request(re.compile(r"/api/datasets/.+")).respond_with_handler(self._answer_api)
        server.expect_request(re.compile(r"/datasets/.+")).respond_with_handler(self._answer_file)

    def _answer_api(self, request: Request) -> Response:
        repository, _, rest = request.path.removeprefix("/api/datasets/").partition("/revision/")
        if rest:
            return self._refusal(repository, rest) or json_response({"id": repository, "sha": COMMIT})
        return json_response([self._entry(path) for path in sorted(self.folder.rglob("*")) if path.is_file()])

    def _refusal(self, repository: str, revision: str) -> Response | None:
        if repository == "owner/gated":
            return error_response(403, "GatedRepo")
        if repository != self.repository:
            return error_response(404, "RepoNotFound")
        if revision not in {"main", COMMIT}:
            return error_response(404, "RevisionNotFound")
        return None

    def _entry(self, path: Path) -> dict[str, object]:
        raw = path.read_bytes()
        name = path.relative_to(self.folder).as_posix()
        return {"type": "file", "path": name, "size": len(raw), "oid": hashlib.sha1(raw).hexdigest()}

    def _answer_file(self, request: Request) -> Response:
        name = request.path.partition(f"/resolve/{COMMIT}/")[2]
        raw = (self.folder / name).read_bytes()
        if name in self.broken:
            return error_response(403, "")
        if request.method == "GET":
            self.fetched.append(name)
        headers = {"ETag": f'"{hashlib.sha1(raw).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return Response(raw, headers=headers)


def json_response(body: object) -> Response:
    return Response(json.dumps(body), content_type="application/json")


def error_response(status: int, code: str) -> Response:
    return Response("{}", status=status, headers={"X-Error-Code": code} if code else {})
