"""The simulated cluster behaves as a real one would."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from evals.incidents import conditions, decoys, faults, rules
from evals.incidents.addresses import AddressProblem, problem
from evals.incidents.clock import Clock
from evals.incidents.cluster import WORKLOADS
from evals.incidents.decoys.setting import Setting
from evals.incidents.dice import Dice
from evals.incidents.faults.model import Scene
from evals.incidents.journeys import JOURNEYS
from evals.incidents.latency import Latency, sample
from evals.incidents.plan import plan
from evals.incidents.scales import SMALL
from evals.incidents.simulation import STEP_S, Simulation
from evals.incidents.visits import Walker
from evals.incidents.world import Change, World

CLOSE = Setting(Dice("decoys"), second=600, close=True, victims=("payment",), kinds=("bad_image",))


def simulation(*changes: Change) -> Simulation:
    quiet = replace(plan(1, 1, SMALL), faults=(), changes=tuple(sorted(changes, key=lambda c: c.second)))
    return Simulation(quiet)


def fired(*changes: Change, until_s: int = 1800) -> set[tuple[str, str]]:
    """Return the alerts that fire while the changes are played."""
    run = simulation(*changes)
    while run.now < until_s:
        run.advance()
        if run.now % 60 == 0:
            run.alerts.evaluate(run.world, run.meters, run.traffic, run.now)
    return run.alerts.fired


def test_a_shop_that_nobody_touches_fires_no_alert():
    assert fired() == set()


@pytest.mark.parametrize("decoy", [*decoys.PLAIN, *decoys.LOOKALIKES], ids=lambda decoy: decoy.__name__)
def test_a_red_herring_alone_fires_no_alert(decoy):
    assert fired(decoy(CLOSE)) == set()


@pytest.mark.parametrize("subtle", [False, True])
@pytest.mark.parametrize("kind", sorted(faults.FAULTS))
def test_every_fault_fires_an_alert(kind, subtle):
    fault = faults.FAULTS[kind](Scene(Dice(kind), second=400, subtle=subtle))
    quiet = plan(1, 1, SMALL)
    run = Simulation(replace(quiet, faults=(fault,), changes=fault.changes))
    while run.now < 1500 and not run.alerts.fired:
        run.advance()
        if run.now % 60 == 0:
            run.alerts.evaluate(run.world, run.meters, run.traffic, run.now)
            assert run.now > fault.second or not run.alerts.fired
    assert run.alerts.fired


def test_a_rolling_update_never_runs_more_pods_than_wanted_and_replaces_all():
    image = "ghcr.io/open-telemetry/demo:2.1.4-cart"

    def roll(world: World, now: float) -> None:
        world.images.add(image)
        world.set_template("cart", replace(world.deployments["cart"].template, image=image), now)

    run = simulation(Change(30, roll))
    cart = run.world.deployments["cart"]
    counts = []
    while run.now < 300:
        run.advance()
        assert len(cart.pods) <= cart.replicas
        counts.append(cart.ready)
    assert min(counts) == 1
    assert {pod.template.image for pod in cart.pods} == {image}


def test_a_lone_pod_is_recreated_and_missed_meanwhile():
    run = simulation(Change(30, lambda world, now: world.restart("ad", now)))
    ad = run.world.deployments["ad"]
    seen = []
    while run.now < 120:
        run.advance()
        seen.append((ad.ready, ad.available))
    assert (0, False) in seen
    assert seen[-1] == (1, True)


def test_a_quota_refuses_pods_only_while_it_is_too_small():
    run = simulation(
        Change(30, lambda world, now: world.put_quota("q", {"limits.memory": 1000}, now)),
        Change(40, lambda world, now: world.restart("ad", now)),
        Change(300, lambda world, now: world.put_quota("q", {"limits.memory": 64_000}, now)),
    )
    ready = {}
    while run.now < 900:
        run.advance()
        ready[run.now] = run.world.deployments["ad"].ready
    assert (ready[30], ready[285], ready[900]) == (1, 0, 1)


def test_policies_add_up_what_one_lets_in_is_in():
    cart = (("app.kubernetes.io/component", "cart"),)
    shut = Change(0, lambda world, now: world.put_policy("shut", cart, (), now))
    open_ = Change(0, lambda world, now: world.put_policy("open", (), None, now))
    assert simulation(shut).conditions.link("frontend", "cart").failure is not None
    assert simulation(shut).conditions.link("frontend", "ad").failure is None
    assert simulation(shut, open_).conditions.link("frontend", "cart").failure is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://quote:8080", None),
        ("quote:8080", None),
        ("http://quote:0000", AddressProblem.CLOSED_PORT),
        ("http://quotes:8080", AddressProblem.UNKNOWN_HOST),
        ("http://email:8080", AddressProblem.OTHER_SERVICE),
        ("nonsense", AddressProblem.UNKNOWN_HOST),
    ],
)
def test_an_address_leads_to_a_service_or_it_does_not(value, expected):
    template = replace(WORKLOADS["shipping"].template, env=(("QUOTE_ADDR", value),))
    assert problem(World(Dice("w"), Clock(0)), template, "shipping", "quote") is expected


def test_sampled_times_have_the_shares_the_histogram_counts():
    dice, mean_ms = Dice("times"), 80.0
    times = [50 + sample(mean_ms, dice) for _ in range(20_000)]
    for limit in (60, 100, 130, 200, 400):
        share = sum(time <= limit for time in times) / len(times)
        assert share == pytest.approx(Latency(50, mean_ms).share_within(limit), abs=0.012)
    assert mean(times) == pytest.approx(130, rel=0.03)
    limits = (10, 60, 130, 400)
    assert list(Latency(50, 80).shares_within(limits)) == [Latency(50, 80).share_within(at) for at in limits]


def test_walked_requests_fail_as_often_as_the_counters_say():
    run = simulation(Change(0, lambda world, now: world.set_flag("paymentFailure", now, "50%")))
    walker = Walker(run.world, run.conditions, Dice("walk"))
    checkout = next(journey for journey in JOURNEYS if journey.route == "/api/checkout")
    outcomes = [walker.visit(checkout, 0) for _ in range(3000)]
    for service in ("payment", "checkout", "frontend"):
        served = [s for spans in outcomes for s in spans if s.service == service and s.kind == "SERVER"]
        volumes = [v for key, v in run.flow.volumes.items()
                   if (key.service, key.kind, key.name) == (service, "SERVER", served[0].name)]  # fmt: skip
        counted = volumes[0].error / (volumes[0].ok + volumes[0].error)
        assert mean(bool(span.error) for span in served) == pytest.approx(counted, abs=0.03)
        took_ms = mean((span.end_ns - span.start_ns) / 1e6 for span in served)
        assert took_ms == pytest.approx(mean_ms(volumes[0]), rel=0.08)


def mean_ms(volume):
    rate = sum(rate for rate, _ in volume.times)
    return sum(rate * latency.total for rate, latency in volume.times) / rate


def test_a_caller_of_what_is_gone_fails_and_what_lies_behind_gets_nothing():
    gone = Change(0, lambda world, now: world.scale("shipping", 0, now))
    run = simulation(gone)
    while run.now < 60:
        run.advance()
    assert run.flow.attempts("quote") == 0
    assert run.flow.attempts("payment") == 0
    assert run.flow.attempts("checkout") > 0
    assert not conditions.serving(run.world, "shipping")


def test_slow_answers_keep_visitors_from_asking_again():
    delayed = Change(0, lambda world, now: world.set_flag("imageSlowLoad", now, "10sec"))
    slow, quick = simulation(delayed), simulation()
    for run in (slow, quick):
        while run.now < 120:
            run.advance()
    assert slow.flow.attempts("frontend") < 0.9 * quick.flow.attempts("frontend")


def test_the_quantile_of_a_histogram_is_interpolated_as_promql_does():
    limits = rules.BUCKETS_MS
    before = tuple(0 for _ in range(len(limits) + 1))
    # 100 requests took at most 1400 ms, another 100 at most 2000 ms.
    after = (*(0 if limit < 1400 else 100 if limit < 2000 else 200 for limit in limits), 200)
    assert rules.quantile(0.95, before, after) == pytest.approx(1400 + 600 * 0.9)
    assert rules.quantile(0.95, before, before) is None


def test_steps_are_as_long_as_they_say():
    run = simulation()
    run.advance()
    assert run.now == STEP_S
