"""A hand-made snapshot, and a loop that plays a baseline in it with a real bash."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evals.llm.baselines import next_message

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOG_COLUMNS = (
    "Timestamp", "TimestampTime", "TraceId", "SpanId", "TraceFlags", "SeverityText", "SeverityNumber",
    "ServiceName", "Body", "ResourceAttributes", "LogAttributes",
)  # fmt: skip
SPAN_COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "SpanKind", "ServiceName",
    "SpanAttributes", "Duration", "StatusCode", "StatusMessage",
)  # fmt: skip
SHOP = "shop"
ONSET = 20  # minutes after START: the first alert of `alert`
BEFORE = ONSET - 5


def at(minute: float) -> str:
    return f"{START + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S}.000000000"


def iso(minute: float) -> str:
    return f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Snapshot:
    """What a cluster's records hold; `write` puts them into a folder in the benchmark's layout."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def alert(self, name: str, target: str, minute: float = ONSET, **labels: str) -> None:
        labels = {"alertname": name, "namespace": SHOP, "service_name": target, **labels}
        self.alerts.append({"labels": labels, "activeAt": iso(minute), "state": "firing", "annotations": {}})

    def event(self, reason: str, about: str, message: str, minute: float = ONSET, count: int = 3) -> None:
        kind, _, name = about.partition("/")
        event = {
            "kind": "Event", "type": "Warning", "reason": reason, "message": message, "count": count,
            "involvedObject": {"kind": kind, "name": name, "namespace": SHOP},
            "firstTimestamp": iso(minute), "lastTimestamp": iso(minute + 5),
            "metadata": {"name": f"{name}.{reason}", "uid": f"{name}.{reason}.{minute}"},
        }  # fmt: skip
        body = json.dumps({"object": event, "type": "ADDED"})
        self.row("k8s_events_raw.tsv", Timestamp=at(minute), Body=body)

    def thing(self, kind: str, name: str, minute: float, namespace: str = SHOP, **parts: Any) -> None:
        """Dump an object once; `metadata` adds to what its metadata always hold."""
        metadata = {"name": name, "namespace": namespace, "creationTimestamp": iso(-9999)}
        metadata |= parts.pop("metadata", {})
        body = {"apiVersion": parts.pop("apiVersion", "v1"), "kind": kind, "metadata": metadata, **parts}
        self.row("k8s_objects_raw.tsv", Timestamp=at(minute), Body=json.dumps(body))

    def always(self, kind: str, name: str, **parts: Any) -> None:
        """Dump an object every five minutes, unchanged."""
        for minute in range(0, 45, 5):
            self.thing(kind, name, minute, **parts)

    def span(self, service: str, span: str, parent: str = "", minute: float = 0, **fields: str) -> None:
        usual = {"SpanKind": "Server", "Duration": "1000000", "StatusCode": "Unset", "SpanName": "op"}
        row = {"ServiceName": service, "SpanId": span, "ParentSpanId": parent, "TraceId": "t"}
        self.row("otel_traces_raw.tsv", Timestamp=at(minute), **row, **{**usual, **fields})

    def log(self, service: str, body: str, minute: float = ONSET, severity: str = "ERROR") -> None:
        self.row(
            "otel_logs_raw.tsv", Timestamp=at(minute), ServiceName=service, Body=body, SeverityText=severity
        )

    def row(self, table: str, **columns: str) -> None:
        self.tables.setdefault(table, []).append(columns)

    def write(self, folder: Path) -> Path:
        if self.alerts:
            (folder / "alerts").mkdir(parents=True, exist_ok=True)
            for minute in range(0, 45, 5):
                active = [alert for alert in self.alerts if alert["activeAt"] <= iso(minute)]
                told = {"status": "success", "data": {"alerts": active}}
                (folder / "alerts" / f"alerts_at_{minute:02}.json").write_text(json.dumps(told))
        for table, rows in self.tables.items():
            columns = SPAN_COLUMNS if "traces" in table else LOG_COLUMNS
            with (folder / table).open("w", newline="") as file:
                writer = csv.DictWriter(file, columns, delimiter="\t", restval="")
                writer.writeheader()
                writer.writerows(rows)
        return folder


def workload(image: str = "shop/app:1", replicas: int = 1, **pod: Any) -> dict[str, Any]:
    """Return the parts of a Deployment; `pod` adds to its pod's specification, `env` to its container."""
    env = [{"name": name, "value": value} for name, value in pod.pop("env", {}).items()]
    container = {"name": "app", "image": image, "env": env, "ports": [{"containerPort": 8080}]}
    labels = pod.pop("labels", {})
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}}
    status = {"readyReplicas": replicas, "replicas": replicas}
    return {"spec": {"replicas": replicas, "template": template}, "status": status}


def quiet_shop() -> Snapshot:
    """Return a shop of three in which nothing is wrong: frontend calls cart, cart calls store."""
    shop = Snapshot()
    for name, calls in (("frontend", "cart"), ("cart", "store"), ("store", None)):
        env = {f"{calls.upper()}_ADDR": f"{calls}:8080"} if calls else {}
        shop.always("Deployment", name, **workload(env=env, labels={"app": name}))
        shop.always("Service", name, spec={"ports": [{"port": 8080}]})
    for minute in range(45):
        traffic(shop, minute)
    return shop


def traffic(shop: Snapshot, minute: float, failing: str = "") -> None:
    """Add one request through the shop; it fails from `failing` upward."""
    path = ("frontend", "cart", "store")
    wrong = path.index(failing) if failing else -1
    for place, name in enumerate(path):
        status = {"StatusCode": "Error", "StatusMessage": "went wrong"} if place <= wrong else {}
        parent = f"{path[place - 1]}-{minute}-{failing}" if place else ""
        shop.span(name, f"{name}-{minute}-{failing}", parent, minute, **status)


def troubled_shop() -> Snapshot:
    """Return the shop with alerts on its frontend and cart from minute 20 on."""
    shop = quiet_shop()
    shop.alert("RequestErrorRate", "cart")
    shop.alert("RequestErrorRate", "frontend", ONSET + 1)
    return shop


@dataclass(frozen=True)
class Played:
    messages: list[dict[str, Any]]
    submission: dict[str, Any] | None

    @property
    def accused(self) -> list[str]:
        assert self.submission is not None
        return [factor["name"] for factor in self.submission["contributing_factors"]]

    @property
    def turns(self) -> int:
        return sum(message["role"] == "assistant" for message in self.messages)

    @property
    def commands(self) -> list[str]:
        calls = [message["tool_calls"][0]["function"] for message in self.messages if "tool_calls" in message]
        return [json.loads(call["arguments"]).get("cmd", "") for call in calls]


def play(name: str, home: Path, turn_cap: int = 100) -> Played:
    """Play a baseline in a folder until it hands in or the cap is met."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Find the root cause."},
        {"role": "user", "content": "Begin."},
    ]
    for turn in range(1, turn_cap + 1):
        message = next_message(name, messages)["choices"][0]["message"]
        messages.append(message)
        call = message["tool_calls"][0]
        arguments = json.loads(call["function"]["arguments"])
        if call["function"]["name"] == "finish":
            return Played(messages, json.loads((home / arguments["paths"][0]).read_text()))
        messages.append(
            {"role": "tool", "tool_call_id": call["id"], "content": shell(arguments["cmd"], home)}
        )
        if turn_cap - turn <= 20:
            left = f"Only {turn_cap - turn} turns are left. Hand in your answer."
            messages.append({"role": "user", "content": left})
    return Played(messages, None)


def shell(command: str, home: Path) -> str:
    # This interpreter first: one that is started by way of a version manager takes twice as long.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=home, env={"PATH": path}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    parts = (cut(ended.stdout), cut(ended.stderr))
    return (
        f"<shell_result>\n<exit_code>{ended.returncode}</exit_code>\n<stdout>\n{parts[0]}</stdout>\n"
        f"<stderr>\n{parts[1]}</stderr>\n</shell_result>"
    )


def cut(text: str) -> str:
    if len(text) <= 20_000:
        return text
    return f"{text[:10_000]}\n[... the middle is left out ...]\n{text[-10_000:]}"
