"""Each false positive is a mistake of one kind, by what the ground truth tells of it."""

import pytest

from evals.grading.ground_truth import parse_ground_truth
from evals.grading.mistaken import mistakes_in
from evals.grading.precision import grade

TRUTH = parse_ground_truth("""
groups:
  - {id: root, kind: Deployment, namespace: otel-demo, filter: ['ad-.*', ad], root_cause: true}
  - {id: ad-service, kind: Service, namespace: otel-demo, filter: [ad]}
  - {id: frontend, kind: Service, namespace: otel-demo, filter: [frontend]}
  - {id: operator, kind: Deployment, namespace: flags, filter: [flagd]}
  - {id: other-root, kind: NetworkPolicy, filter: [deny], root_cause: true}
propagations:
  - {source: operator, target: root, condition: c, effect: e}
  - {source: root, target: frontend, condition: c, effect: e}
""")


def answer(*names):
    factors = ", ".join(f'{{"name": "{name}"}}' for name in names)
    return f'{{"contributing_factors": [{factors}]}}'.encode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("the ad service", "malformed"),
        ("otel-demo/ConfigMap/ad", "wrong_kind"),
        ("otel-demo/Service/ad", "wrong_kind"),
        ("default/Deployment/ad", "wrong_namespace"),
        ("default/Pod/ad-8546fdc74d-d68cn", "wrong_namespace"),
        ("anywhere/ConfigMap/deny", "wrong_kind"),
        ("otel-demo/Service/frontend", "symptom"),
        ("flags/Deployment/flagd", "mechanism"),
        ("chaos-mesh/Schedule/ad-chaos", "mechanism"),
        ("otel-demo/PodChaos/some", "mechanism"),
        ("otel-demo/Service/cart", "bystander"),
        ("default/Service/ad", "bystander"),
        ("otel-demo/Deployment/ad", None),
    ],
)
def test_the_kind_of_a_mistake(name, kind):
    assert mistakes_in(TRUTH, grade(TRUTH, answer(name))) == [kind]


def test_a_duplicate_is_no_mistake_of_its_own():
    result = grade(TRUTH, answer("otel-demo/Service/cart", "otel-demo/services/cart", "otel-demo/Pod/ad"))
    assert mistakes_in(TRUTH, result) == ["bystander", None, None]
