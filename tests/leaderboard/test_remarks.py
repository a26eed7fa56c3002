"""Failure tags and comments: set by staff, seen by all who may see the run, counted, and never invented."""

import pytest
from django.contrib.auth.models import User

from evals.failure_tags import MAST, OURS, TAGS, title_of
from evals.models import Remark
from tests.factories import make_evaluation, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    run = make_run(score=0)
    for number in (1, 2, 3):
        make_turn(run, number)
    return run


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_user("reader", is_staff=True))
    return client


def add(client, run, **said):
    return client.post(f"/runs/{run.pk}/remarks/", said)


def page(client, run):
    return client.get(run.get_absolute_url()).content.decode()


def test_a_run_and_a_turn_are_tagged_and_commented_on(staff, run):
    assert add(staff, run, tag="symptom-as-cause").url == f"/runs/{run.pk}/#remarks"
    assert add(staff, run, tag="mast-2.5", turn="2", comment="It saw <b>it</b>.").url.endswith(
        "?turn=2#turn-2"
    )
    add(staff, run, comment="Read twice.")
    staff.logout()
    html = page(staff, run)
    assert "takes a symptom for the cause" in html
    assert "2.5 ignores evidence" in html
    assert "<q>It saw &lt;b&gt;it&lt;/b&gt;.</q>" in html
    assert "<q>Read twice.</q>" in html
    assert '<path class="flag remarked" d="M10 9h8"/>' in html
    assert "remark-form" not in html
    assert "reader" not in html


def test_a_tag_is_set_once_however_often_it_is_sent(staff, run):
    for _ in range(2):
        add(staff, run, tag="wrong-kind")
        add(staff, run, tag="wrong-kind", turn="1")
    assert Remark.objects.count() == 2


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Choose a tag or write a comment."),
        ({"comment": "  "}, "Choose a tag or write a comment."),
        ({"tag": "made-up"}, "There is no tag &#x27;made-up&#x27;."),
        ({"tag": "wrong-kind", "turn": "99"}, "This run has no turn 99."),
        ({"tag": "wrong-kind", "turn": "x"}, "A turn is a whole number."),
        ({"comment": "x" * 4001}, "A comment has at most 4000 characters."),
    ],
)
def test_what_says_nothing_is_refused_with_a_sentence(staff, run, said, sentence):
    response = staff.post(f"/runs/{run.pk}/remarks/", said, follow=True)
    assert sentence in response.content.decode()
    assert Remark.objects.count() == 0


def test_a_remark_is_removed(staff, run):
    add(staff, run, tag="wrong-kind", turn="2")
    remark = Remark.objects.get()
    assert f'action="/runs/{run.pk}/remarks/{remark.pk}/remove/"' in page(staff, run)
    staff.post(f"/runs/{run.pk}/remarks/{remark.pk}/remove/")
    assert Remark.objects.count() == 0


def test_visitors_can_neither_add_nor_remove(client, run):
    remark = run.remarks.create(tag="wrong-kind")
    for address in (f"/runs/{run.pk}/remarks/", f"/runs/{run.pk}/remarks/{remark.pk}/remove/"):
        assert client.post(address, {"tag": "wrong-kind"}).status_code == 302
        client.force_login(User.objects.get_or_create(username="visitor")[0])
        assert client.post(address, {"tag": "wrong-kind"}).status_code == 403
        client.logout()
    assert Remark.objects.count() == 1


def test_what_the_grade_suggests_is_shown_to_staff_and_stored_by_nobody(staff, run):
    run.grades.update(
        verdicts=[{"name": "a/Service/b", "group_id": None, "verdict": "false_positive", "reason": "r",
                   "mistake": "wrong_kind"}]
    )  # fmt: skip
    html = page(staff, run)
    assert "computed from the grade" in html
    assert 'data-tag="wrong-kind"' in html
    assert "wrong kind</b>" in html
    assert Remark.objects.count() == 0


def test_tags_are_counted_on_the_pages_of_model_and_task(client):
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    secret = make_task(evaluation.benchmark, split="held_out")
    for each in (task, task, secret):
        make_run(evaluation, each, 0).remarks.create(tag="no-output")
    model = client.get(evaluation.language_model.get_absolute_url()).content.decode()
    assert "hands nothing in <b>2</b>" in model
    assert "hands nothing in <b>2</b>" in client.get(task.get_absolute_url()).content.decode()


def test_the_api_tells_tags_and_narrows_by_them(client, run):
    run.remarks.create(tag="wrong-kind")
    run.remarks.create(tag="mast-2.5", turn=run.turns.first())
    make_run(run.evaluation, run.task)
    (told,) = client.get("/api/v1/runs/?tag=mast-2.5").json()["results"]
    assert (told["id"], told["tags"]) == (run.pk, ["mast-2.5", "wrong-kind"])
    assert client.get("/api/v1/runs/?tag=nonsense").status_code == 400


def test_every_tag_has_its_words():
    assert len(TAGS) == len(MAST) + len(OURS) == 22
    assert all(title_of(tag) != tag for tag in TAGS)
    assert title_of("gone") == "gone"
