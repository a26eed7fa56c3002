from django.urls import path, re_path
from django.views.decorators.http import conditional_page

from leaderboard.api import boards, explorer, imports, search, views

app_name = "api"

several, one = {"get": "list"}, {"get": "retrieve"}

urlpatterns = [
    path("v1/", explorer.IndexView.as_view(), name="index"),
    path("v1/benchmarks/", views.Benchmarks.as_view(several), name="benchmarks"),
    path("v1/benchmarks/<str:slug>/", views.Benchmarks.as_view(one), name="benchmark"),
    path("v1/benchmarks/<str:slug>/board/", boards.BoardView.as_view(), name="board"),
    path("v1/benchmarks/<str:slug>/matrix/", boards.MatrixView.as_view(), name="matrix"),
    path("v1/compare/", boards.CompareView.as_view(), name="compare"),
    path("v1/tasks/", views.Tasks.as_view(several), name="tasks"),
    path("v1/tasks/<str:benchmark>/<str:slug>/", views.Tasks.as_view(one), name="task"),
    path("v1/models/", views.Models.as_view(several), name="models"),
    path("v1/models/<str:slug>/", views.Models.as_view(one), name="model"),
    path("v1/evaluations/", views.Evaluations.as_view(several), name="evaluations"),
    path("v1/evaluations/<int:pk>/", views.Evaluations.as_view(one), name="evaluation"),
    path("v1/runs/", views.Runs.as_view(several), name="runs"),
    path("v1/runs/<int:pk>/", views.Runs.as_view(one), name="run"),
    path("v1/runs/<int:run>/turns/", views.Turns.as_view(several), name="turns"),
    path("v1/runs/<int:run>/turns/<int:number>/", views.Turns.as_view(one), name="turn"),
    path("v1/search/", search.SearchView.as_view(), name="search"),
    path("v1/imports/", imports.ImportsView.as_view(), name="imports"),
    # With its slash: without one Django redirects to the address that has it.
    re_path(r"^v1/.*/$", explorer.nowhere, name="nowhere"),
    path("schema/", conditional_page(explorer.SchemaView.as_view()), name="schema"),
    path("docs/", explorer.DocsView.as_view(), name="docs"),
]
