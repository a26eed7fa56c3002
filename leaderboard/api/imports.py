"""Handing in runs that were played elsewhere: the only address of the API that writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from evals.runner.importing import FileState, ImportRefused, ImportWish
from leaderboard.api.descriptions import described_alone
from leaderboard.api.errors import wrong
from leaderboard.api.import_reports import ImportOrder
from leaderboard.uploads import FORM_BYTES, import_upload, limit_bytes


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The file is larger than this site takes."


@described_alone("imports", method="post")
class ImportsView(APIView):
    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (IsAdminUser,)
    parser_classes = (MultiPartParser,)
    serializer_class = ImportOrder

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anything is read of it.
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit_bytes() + FORM_BYTES:
            raise TooLarge(f"At most {settings.ITBENCH_IMPORT_LIMIT_MB} MB are taken.")
        super().initial(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        order = ImportOrder(data=request.data)
        order.is_valid(raise_exception=True)
        told = order.validated_data
        wish = ImportWish(told["benchmark"], told["task"], told["model"], by=request.user.pk)
        try:
            reports = import_upload(told["file"], wish)
        except ImportRefused as problem:
            raise wrong("benchmark" if "benchmark" in str(problem) else "task", str(problem)) from problem
        files = [
            {
                **asdict(report),
                "format": report.format or None,
                "runs": [reverse("api:run", args=[run], request=request) for run in report.runs],
            }
            for report in reports
        ]
        refused = all(report.state in (FileState.REFUSED, FileState.LEFT_OUT) for report in reports)
        return Response({"files": files}, status=422 if refused else 200)
