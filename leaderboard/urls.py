from django.urls import path

from leaderboard.views import board, charts, compare, evaluations, language_models, matrix, pages, runs, tasks

urlpatterns = [
    path("", board.home, name="home"),
    path("benchmarks/<str:slug>/", board.benchmark, name="benchmark"),
    path("benchmarks/<str:slug>/tasks/", tasks.task_list, name="tasks"),
    path("benchmarks/<str:slug>/matrix/", matrix.matrix, name="matrix"),
    path("benchmarks/<str:slug>/charts/", charts.charts, name="charts"),
    path("compare/", compare.compare, name="compare"),
    path("tasks/<str:benchmark>/<str:slug>/", tasks.task, name="task"),
    path("models/", language_models.model_list, name="models"),
    path("models/<str:slug>/", language_models.model, name="model"),
    path("evaluations/", evaluations.evaluation_list, name="evaluations"),
    path("evaluations/new/", evaluations.evaluation_new, name="evaluation-new"),
    path("evaluations/<int:pk>/", evaluations.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/pause/", evaluations.pause, name="evaluation-pause"),
    path("evaluations/<int:pk>/resume/", evaluations.resume, name="evaluation-resume"),
    path("evaluations/<int:pk>/cancel/", evaluations.cancel, name="evaluation-cancel"),
    path("evaluations/<int:pk>/retry/", evaluations.retry, name="evaluation-retry"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/replay.cast", runs.replay, name="replay"),
    path("runs/<int:pk>/turns/<int:turn>/output/<int:call>/", runs.output, name="output"),
    path("runs/<int:pk>/turns/<int:turn>/command/<int:call>/", runs.command, name="command"),
    path("methodology/", pages.methodology, name="methodology"),
    # Browsers ask for it at this address on pages that name no icon, as in the admin.
    path("favicon.ico", pages.favicon),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
