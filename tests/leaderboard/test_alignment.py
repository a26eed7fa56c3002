"""Two lists of commands beside each other: nothing lost, nothing out of order, what is alike together."""

from hypothesis import given, strategies

from leaderboard.alignment import MOST_PAIRS, Pairing, aligned


def shown(left, right):
    return [(p.kind, p.left, p.right) for p in aligned(left, right)]


def test_equal_commands_stand_beside_each_other_whatever_their_spaces():
    assert shown(["ls  -la", "cat a"], ["ls -la", "cat a"]) == [("same", 0, 0), ("same", 1, 1)]


def test_what_only_one_did_stands_alone_in_its_place():
    assert shown(["ls", "cat a"], ["ls", "pwd", "cat a"]) == [
        ("same", 0, 0),
        ("right", None, 1),
        ("same", 1, 2),
    ]
    assert shown(["x"], []) == [("left", 0, None)]
    assert shown([], []) == []


def test_commands_with_most_words_in_common_are_paired():
    left = ["grep -n error otel_logs_raw.tsv | head", "pwd", "cat alerts/one.json"]
    right = ["whoami", "grep -n refused otel_logs_raw.tsv | head", "cat alerts/one.json | head"]
    assert shown(left, right) == [
        ("right", None, 0),
        ("alike", 0, 1),
        ("left", 1, None),
        ("alike", 2, 2),
    ]


def test_too_little_in_common_is_no_pair():
    assert shown(["grep a b c d e f"], ["grep z"]) == [("left", 0, None), ("right", None, 0)]


def test_a_stretch_too_long_to_weigh_stays_unpaired():
    side = int(MOST_PAIRS**0.5) + 1
    pairings = aligned([f"cat file-{n}" for n in range(side)], [f"cat other-{n}" for n in range(side)])
    assert {pairing.kind for pairing in pairings} == {"left", "right"}


commands = strategies.lists(
    strategies.sampled_from(["ls", "ls -la", "cat a b", "cat a c", "grep x y z", "grep x y"]), max_size=25
)


@given(commands, commands)
def test_every_command_of_both_comes_once_and_in_order(left, right):
    pairings = aligned(left, right)
    assert [p.left for p in pairings if p.left is not None] == list(range(len(left)))
    assert [p.right for p in pairings if p.right is not None] == list(range(len(right)))
    for pairing in pairings:
        if pairing.kind == "same":
            assert left[pairing.left] == right[pairing.right]


@given(commands)
def test_a_list_beside_itself_is_the_same(left):
    assert aligned(left, left) == [Pairing("same", place, place) for place in range(len(left))]
