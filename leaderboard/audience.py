"""Who may see what: held-out tasks, and all that could give them away, are for staff."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from evals.models import Run, Split, Task

View = Callable[..., HttpResponse]


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


def visible_tasks(request: HttpRequest, tasks: QuerySet[Task]) -> QuerySet[Task]:
    return tasks if is_staff(request) else tasks.filter(split=Split.PUBLIC)


def visible_runs(request: HttpRequest, runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs if is_staff(request) else runs.filter(task__split=Split.PUBLIC)


def counts_visible(request: HttpRequest, tasks: QuerySet[Task]) -> bool:
    """Tell whether numbers of runs may be shown: they would tell how many tasks are held out."""
    return is_staff(request) or not tasks.filter(split=Split.HELD_OUT).exists()


def staff_only(view: View) -> View:
    """Send a stranger to sign in, and refuse a visitor who is signed in but no staff."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_staff(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)
