"""The loudest and the exhaustive baseline."""

from __future__ import annotations

from pathlib import Path

from evals.llm.baselines.conversation import TURNS_TO_HAND_IN

from .playing import BEFORE, SHOP, Snapshot, play, troubled_shop, workload


def test_the_loudest_blames_whom_most_alerts_name_in_at_most_four_turns(tmp_path: Path):
    shop = Snapshot()
    shop.alert("Watchdog", "prometheus", 0)
    shop.alert("RequestErrorRate", "cart", 10)
    shop.alert("RequestErrorRate", "frontend", 20)
    shop.alert("RequestLatency", "frontend", 20)
    played = play("loudest", shop.write(tmp_path))
    assert played.accused == ["shop/Deployment/frontend"]
    assert played.turns <= 4


def test_an_alert_that_stands_longer_is_louder(tmp_path: Path):
    shop = Snapshot()
    shop.alert("RequestErrorRate", "cart", 5)
    shop.alert("RequestErrorRate", "frontend", 35)
    assert play("loudest", shop.write(tmp_path)).accused == ["shop/Deployment/cart"]


def test_without_alerts_the_loudest_blames_nobody(tmp_path: Path):
    assert play("loudest", Snapshot().write(tmp_path)).accused == []


def a_shop_with_metrics(folder: Path) -> Path:
    shop = troubled_shop()
    shop.event("BackOff", "Pod/email-7f9c6d5b4-k2m4n", "Back-off restarting failed container", BEFORE)
    shop.always("Deployment", "batch", **workload(replicas=0))
    shop.write(folder)
    (folder / "metrics").mkdir()
    for service in ("cart", "frontend", "store", "email", "batch", "ad", "quote", "payment", "shipping"):
        rows = "metric_name\ttimestamp\tvalue\nrequests_total\t2026-03-01 12:00:00\t1\n"
        (folder / "metrics" / f"service_{service}_raw.tsv").write_text(rows)
    return folder


def test_the_exhaustive_reads_in_many_turns_and_names_every_suspect(tmp_path: Path):
    played = play("exhaustive", a_shop_with_metrics(tmp_path))
    assert 30 <= played.turns <= 60
    named = {f"{SHOP}/Deployment/{name}" for name in ("cart", "frontend", "email", "batch")}
    assert set(played.accused) == named


def test_the_exhaustive_reads_metrics_and_logs_of_every_service(tmp_path: Path):
    commands = play("exhaustive", a_shop_with_metrics(tmp_path)).commands
    for service in ("ad", "shipping"):
        assert f"python3 -m toolkit metrics {service}" in commands
        assert f"python3 -m toolkit logs {service}" in commands


def test_the_exhaustive_hands_in_what_it_has_before_the_turns_run_out(tmp_path: Path):
    played = play("exhaustive", a_shop_with_metrics(tmp_path), turn_cap=12)
    assert played.turns == 12 - TURNS_TO_HAND_IN + 2
    assert "shop/Deployment/cart" in played.accused
