"""Where a root cause's name first stood in an output, and where in the model's own words."""

import pytest

from evals.grading.ground_truth import parse_ground_truth
from evals.grading.sightings import Sighting, TurnTexts, sightings

POD_HASH = "ad-8546fdc74d-d68cn"


def truth(*groups, aliases="", propagations=""):
    lines = "\n".join(f"  - {group}" for group in groups)
    return parse_ground_truth(f"groups:\n{lines}\naliases: [{aliases}]\npropagations: [{propagations}]\n")


def root(kind, names, group="root"):
    return f"{{id: {group}, kind: {kind}, namespace: otel-demo, filter: {names}, root_cause: true}}"


def turn(number, words="", *outputs):
    return TurnTexts(number, (words,), outputs)


def first(known, *turns):
    sighting = sightings(known, turns)[0]
    return sighting.seen_turn, sighting.seen_call, sighting.named_turn


FLAG = truth(root("ConfigMap", "[flagd-config]"))
AD = truth(root("Deployment", r"['ad\b']"))


def test_the_first_output_and_the_first_words_are_told_with_the_call():
    turns = [
        turn(1, "I begin.", "alerts"),
        turn(2, "cat objects", "nothing", "name: flagd-config"),
        turn(3, "", "name: flagd-config"),
        turn(4, "It is flagd-config.", ""),
        turn(5, "flagd-config again", ""),
    ]
    assert sightings(FLAG, turns) == [
        Sighting(("root",), ("root",), "ConfigMap flagd-config in otel-demo", 2, 2, 4)
    ]


def test_what_never_comes_into_view_is_none():
    assert first(FLAG, turn(1, "hm", "flagd"), turn(2, "flagd-configuration", "my-flagd-config")) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ('{"kind":"Deployment","metadata":{"name":"ad"}}', True),
        ("deployment/ad is degraded", True),
        ("kubectl get deployments ad", True),
        (POD_HASH, True),
        (f"logs of {POD_HASH}: java.lang.OutOfMemoryError", True),
        ("the ad service fails", False),
        ("ad\nDeployment checkout", False),
        ("load-generator Deployment", False),
        ("an ad hoc query", False),
        ("Deployment " + "x " * 200 + "ad", False),
        ("HorizontalPodAutoscaler for ad", False),
    ],
)
def test_a_name_that_many_things_share_counts_with_its_kind_beside_it(text, stands):
    assert (first(AD, turn(1, "", text))[0] == 1) is stands
    assert (first(AD, turn(1, text))[2] == 1) is stands


@pytest.mark.parametrize(
    ("kind", "names", "text"),
    [
        ("NetworkPolicy", "[deny-all]", "policy deny-all blocks it"),
        ("NetworkChaos", "['otel-demo-ad-delay.*']", "otel-demo-ad-delay-6vlw4 injected"),
        ("Namespace", "[otel-demo]", "Namespace otel-demo has a quota"),
        ("HorizontalPodAutoscaler", "[cart]", "hpa/cart wants 9"),
        ("Pod", "['ad-.*']", POD_HASH),
        ("Pod", "['ad-.*']", "Deployment ad"),
        ("ConfigMap", "['*.*']", "anything"),
    ],
)
def test_names_of_every_kind_are_known(kind, names, text):
    assert first(truth(root(kind, names)), turn(3, "", text)) == (3, 1, None)


def test_a_group_with_only_a_name_is_looked_for_by_it():
    known = truth("{id: root, kind: Secret, name: api.key, root_cause: true}")
    assert first(known, turn(1, "", "secret apixkey"), turn(2, "", "secret api.key")) == (2, 1, None)


def test_an_alias_counts_but_not_one_that_the_fault_only_spread_to():
    known = truth(
        root("NetworkPolicy", "[deny-all]"),
        "{id: same, kind: NetworkPolicy, filter: [deny-ingress]}",
        "{id: victim, kind: ConfigMap, filter: [loud-victim]}",
        aliases="[root, same, victim]",
        propagations="{source: root, target: victim, condition: c, effect: e}",
    )
    assert first(known, turn(1, "", "loud-victim"), turn(2, "", "deny-ingress")) == (2, 1, None)


def test_each_root_cause_has_its_own_sighting_in_the_order_of_the_ground_truth():
    known = truth(root("ConfigMap", "[flagd-config]", "a"), root("NetworkPolicy", "[deny-all]", "b"))
    told = sightings(known, [turn(1, "", "deny-all"), turn(2, "deny-all and flagd-config", "flagd-config")])
    assert [(each.seen_turn, each.named_turn) for each in told] == [(2, 2), (1, 2)]


def test_turns_are_read_only_until_all_is_told():
    read = []

    def turns():
        for number in range(1, 10):
            read.append(number)
            yield turn(number, "flagd-config", "flagd-config")

    sightings(FLAG, turns())
    assert read == [1, 2]


def test_a_megabyte_of_hostile_text_is_no_trouble():
    known = truth(root("Deployment", r"['(a+)+\b']"))
    assert first(known, turn(1, "a" * 1_000_000 + "!", "-" * 1_000_000)) == (None, None, None)
