"""How hard a task is: the numbers of the matrix, and a place among the tasks in plain words."""

import pandas as pd
import pytest

from leaderboard.difficulty import Difficulty, difficulties, ordinal


def frame(scores):
    """Scores by task and model (a list of repeats) as a score frame."""
    runs = [
        {"evaluation": model, "task": task, "score": score}
        for task, by_model in scores.items()
        for model, repeats in by_model.items()
        for score in repeats
    ]
    return pd.DataFrame(runs, columns=["evaluation", "task", "score"])


def test_every_model_weighs_the_same_whatever_its_repeats():
    found = difficulties([1], frame({1: {7: [1.0], 8: [0.0, 0.0, 0.0]}}))[1]
    assert (found.mean, found.models) == (0.5, 2)


def test_a_task_has_its_place_among_those_with_a_score():
    scores = {1: {7: [0.0]}, 2: {7: [0.5]}, 3: {7: [0.5]}, 4: {7: [1.0]}, 5: {7: [None]}}
    found = difficulties([1, 2, 3, 4, 5], frame(scores))
    assert [found[task].place for task in (1, 2, 3, 4, 5)] == [
        "hardest", "2nd hardest", "2nd hardest", "easiest", ""]  # fmt: skip
    assert (found[2].of, found[2].level) == (4, 1)


def test_tasks_that_are_all_alike_are_neither_hard_nor_easy():
    found = difficulties([1, 2], frame({1: {7: [0.3]}, 2: {7: [0.1, 0.5]}}))
    assert found[1].place == found[2].place == "like all others"


def test_the_only_task_has_no_place():
    assert difficulties([1], frame({1: {7: [0.3]}}))[1].place == ""


def test_a_task_that_orders_models_as_the_others_do_tells_them_apart():
    ability = {7: 0.1, 8: 0.5, 9: 0.9}
    scores = {task: {model: [value] for model, value in ability.items()} for task in (1, 2)}
    scores[3] = {model: [1 - value] for model, value in ability.items()}
    found = difficulties([1, 2, 3], frame(scores))
    assert found[3].discrimination == pytest.approx(-1)
    assert found[3].tells_apart.startswith("the other way round")


@pytest.mark.parametrize(
    ("discrimination", "word"),
    [
        (None, "too few"),
        (0.9, "well"),
        (0.4, "well"),
        (0.3, "somewhat"),
        (0.0, "hardly"),
        (-0.5, "the other way"),
    ],
)
def test_how_well_is_said_in_words(discrimination, word):
    assert Difficulty(mean=0.5, discrimination=discrimination).tells_apart.startswith(word)


def test_without_tasks_there_is_nothing():
    assert difficulties([], frame({})) == {}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (113, "113th"),
    ],
)
def test_ordinals(number, text):
    assert ordinal(number) == text
