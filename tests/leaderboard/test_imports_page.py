"""Runs are handed in by staff, in the browser and by the API with a token; nobody else gets in."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.authtoken.models import Token

from evals.models import Run, RunSource
from tests.factories import make_benchmark, make_task

pytestmark = pytest.mark.django_db

ANSWER = '{"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]}'
STEP = {"action": "ls", "response": "I look.", "observation": "flagd-config"}
TRAJECTORY = {"trajectory": [STEP], "info": {"exit_status": "submitted", "submission": ANSWER}}


def upload(content=TRAJECTORY, name="run.traj"):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return SimpleUploadedFile(name, raw)


@pytest.fixture
def task():
    return make_task(make_benchmark(slug="b"), slug="scenario-1")


@pytest.fixture
def staff(client):
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)
    return client


@pytest.fixture
def token():
    return Token.objects.create(user=User.objects.create_user("machine", is_staff=True)).key


def send(client, token, **fields):
    headers = {"Authorization": f"Token {token}"} if token else {}
    return client.post("/api/v1/imports/", {"file": upload(), **fields}, headers=headers)


def test_staff_hand_in_a_file_and_are_led_to_its_run(staff, task):
    html = staff.post("/imports/", {"file": upload(), "benchmark": "b", "task": "1"}).content.decode()
    run = Run.objects.get()
    assert "1 run, 1 graded" in html
    assert f'<a href="/runs/{run.pk}/">{run.pk}</a>' in html
    assert (run.task, run.source.imported_by.username, run.source.name) == (task, "staff", "run.traj")
    assert "imported, swe-agent" in staff.get("/evaluations/").content.decode()


def test_a_file_that_is_refused_says_why(staff):
    response = staff.post("/imports/", {"file": upload(b"{}", "<b>.json")})
    assert "no trajectory; ATIF" in response.content.decode()
    assert "<b>.json" not in response.content.decode()
    assert staff.post("/imports/", {}).status_code == 400
    assert RunSource.objects.count() == 0


def test_visitors_are_sent_to_sign_in(client):
    assert client.get("/imports/").status_code == 302
    assert client.post("/imports/", {"file": upload()}).status_code == 302
    client.force_login(User.objects.create_user("visitor"))
    assert client.post("/imports/", {"file": upload()}).status_code == 403
    assert RunSource.objects.count() == 0


def test_a_token_of_staff_opens_the_api(client, task, token):
    response = send(client, token, benchmark="b", task="scenario-1")
    (told,) = response.json()["files"]
    assert (response.status_code, told["state"], told["format"]) == (200, "imported", "swe-agent")
    assert told["runs"] == [f"http://testserver/api/v1/runs/{Run.objects.get().pk}/"]
    (again,) = send(client, token, benchmark="b", task="scenario-1").json()["files"]
    assert (again["state"], again["runs"]) == ("already there", told["runs"])


def test_without_a_token_of_staff_nothing_is_taken(client, token):
    assert send(client, None).status_code == 401
    assert send(client, "wrong").status_code == 401
    User.objects.update(is_staff=False)
    assert send(client, token).status_code == 403
    assert RunSource.objects.count() == 0


def test_what_the_api_cannot_take_is_said(client, token, settings):
    headers = {"Authorization": f"Token {token}"}
    assert send(client, token, benchmark="nowhere").status_code == 400
    assert client.post("/api/v1/imports/", {}, headers=headers).status_code == 400
    as_json = client.post("/api/v1/imports/", "{}", content_type="application/json", headers=headers)
    assert as_json.status_code == 415
    broken = client.post("/api/v1/imports/", {"file": upload(b"{")}, headers=headers)
    assert (broken.status_code, broken.json()["files"][0]["state"]) == (422, "refused")
    settings.ITBENCH_IMPORT_LIMIT_MB = 1
    large = client.post("/api/v1/imports/", {"file": upload(b" " * 3_000_000)}, headers=headers)
    assert (large.status_code, large.json()) == (413, {"detail": "At most 1 MB are taken."})


def test_a_form_that_is_too_large_is_refused_before_it_is_read(staff, settings):
    settings.ITBENCH_IMPORT_LIMIT_MB = 1
    response = staff.post("/imports/", {"file": upload(b" " * 3_000_000)})
    assert response.status_code == 400
    assert RunSource.objects.count() == 0


def test_imported_runs_are_listed_apart_on_the_pages_of_their_task_and_model(client, task, token):
    send(client, token, benchmark="b", task="scenario-1", model="some-model")
    html = client.get(task.get_absolute_url()).content.decode()
    assert "Imported runs" in html
    assert "in none of the figures here" in html
    assert f'<a href="/runs/{Run.objects.get().pk}/">' in html
    assert "imported, swe-agent" in client.get("/models/some-model/").content.decode()
    assert "some-model" not in client.get("/benchmarks/b/").content.decode()
    assert client.get("/api/v1/benchmarks/b/board/").json()["rows"] == []
    assert "some-model" not in client.get("/compare/?benchmark=b").content.decode()


def test_the_benchmark_of_unknown_tasks_is_no_board(client, token):
    send(client, token)
    assert "Imported runs</a>" not in client.get("/").content.decode()
