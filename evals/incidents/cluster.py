"""The cluster before anything goes wrong: the shop's workloads, its nodes, and who else lives there.

The shop is the OpenTelemetry demo. CPU is counted in millicores (m), memory in MiB.
"""

from __future__ import annotations

from dataclasses import dataclass

SHOP = "otel-demo"
CHAOS = "chaos-mesh"
REGISTRY = "ghcr.io/open-telemetry/demo"
RELEASE = "2.1.3"
FLAGS_CONFIG = "flagd-config"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PodTemplate:
    """What a Deployment's pods are made from; any change of it is a new revision."""

    image: str
    env: Labels
    cpu_request_m: int
    cpu_limit_m: int
    memory_request_mi: int
    memory_limit_mi: int
    command: tuple[str, ...] = ()  # empty: the image's own
    node_selector: Labels = ()
    annotations: Labels = ()
    config_map: str | None = None  # mounted into the container

    def variable(self, name: str) -> str | None:
        return dict(self.env).get(name)


@dataclass(frozen=True)
class Workload:
    """A Deployment of the shop and what it costs to run."""

    name: str
    port: int
    language: str
    replicas: int
    template: PodTemplate
    idle_m: int  # CPU of a pod that serves nobody
    cost_m: float  # millicore-seconds a request takes
    memory_mi: int  # what a pod settles at


# name, port, language, replicas, cpu request, cpu limit, memory request, memory limit, idle m, cost m, memory
_ROWS = (
    ("accounting", 8080, "dotnet", 1, 100, 500, 256, 512, 20, 30, 171),
    ("ad", 8080, "java", 1, 50, 300, 256, 512, 15, 20, 288),
    ("cart", 8080, "dotnet", 2, 85, 100, 64, 256, 6, 30, 97),
    ("checkout", 8080, "go", 1, 50, 200, 32, 128, 5, 20, 34),
    ("currency", 8080, "cpp", 1, 20, 200, 16, 64, 3, 5, 18),
    ("email", 8080, "ruby", 1, 20, 200, 64, 192, 4, 10, 93),
    ("flagd", 8013, "go", 1, 25, 250, 64, 192, 12, 1, 61),
    ("fraud-detection", 8080, "java", 1, 50, 300, 256, 512, 12, 8, 271),
    ("frontend", 8080, "nodejs", 2, 500, 600, 128, 384, 12, 54, 152),
    ("frontend-proxy", 8080, "envoy", 2, 110, 160, 32, 128, 8, 12, 44),
    ("image-provider", 8081, "nginx", 1, 20, 200, 24, 96, 2, 4, 28),
    ("kafka", 9092, "java", 1, 200, 1000, 512, 1024, 60, 3, 622),
    ("llm", 8000, "python", 1, 20, 200, 64, 256, 3, 0, 71),
    ("load-generator", 8089, "python", 1, 100, 1000, 256, 1024, 120, 2, 312),
    ("payment", 8080, "nodejs", 1, 20, 200, 96, 256, 5, 12, 111),
    ("postgresql", 5432, "postgres", 1, 50, 500, 100, 256, 8, 2, 88),
    ("product-catalog", 8080, "go", 2, 110, 140, 24, 96, 5, 20, 30),
    ("product-reviews", 8080, "python", 1, 30, 250, 96, 256, 6, 20, 121),
    ("quote", 8080, "php", 1, 20, 200, 32, 96, 3, 9, 38),
    ("recommendation", 8080, "python", 1, 50, 250, 128, 512, 7, 15, 149),
    ("shipping", 8080, "rust", 1, 20, 200, 16, 64, 3, 9, 20),
    ("valkey-cart", 6379, "valkey", 1, 20, 200, 16, 96, 3, 1, 22),
)

_THIRD_PARTY_IMAGES = {
    "flagd": "ghcr.io/open-feature/flagd:v0.12.9",
    "postgresql": "postgres:17.6",
    "valkey-cart": "valkey/valkey:8.1.3-alpine",
}

# (caller, callee) -> the variable of the caller that holds the callee's address.
ADDRESS_VARIABLES = {
    ("load-generator", "frontend-proxy"): "LOCUST_HOST",
    ("frontend", "ad"): "AD_ADDR",
    ("frontend", "cart"): "CART_ADDR",
    ("frontend", "checkout"): "CHECKOUT_ADDR",
    ("frontend", "currency"): "CURRENCY_ADDR",
    ("frontend", "product-catalog"): "PRODUCT_CATALOG_ADDR",
    ("frontend", "product-reviews"): "PRODUCT_REVIEWS_ADDR",
    ("frontend", "recommendation"): "RECOMMENDATION_ADDR",
    ("frontend", "shipping"): "SHIPPING_ADDR",
    ("checkout", "cart"): "CART_ADDR",
    ("checkout", "currency"): "CURRENCY_ADDR",
    ("checkout", "email"): "EMAIL_ADDR",
    ("checkout", "payment"): "PAYMENT_ADDR",
    ("checkout", "product-catalog"): "PRODUCT_CATALOG_ADDR",
    ("checkout", "shipping"): "SHIPPING_ADDR",
    ("checkout", "kafka"): "KAFKA_ADDR",
    ("accounting", "kafka"): "KAFKA_ADDR",
    ("accounting", "postgresql"): "DB_CONNECTION_STRING",
    ("fraud-detection", "kafka"): "KAFKA_ADDR",
    ("product-reviews", "postgresql"): "DB_CONNECTION_STRING",
    ("recommendation", "product-catalog"): "PRODUCT_CATALOG_ADDR",
    ("shipping", "quote"): "QUOTE_ADDR",
    ("cart", "valkey-cart"): "VALKEY_ADDR",
}
_WITH_SCHEME = {("load-generator", "frontend-proxy"), ("checkout", "email"), ("shipping", "quote"),
                ("checkout", "shipping"), ("frontend", "shipping")}  # fmt: skip

_EXTRA_ENV: dict[str, Labels] = {
    "accounting": (("DB_POOL_SIZE", "30"),),
    "frontend-proxy": (("FRONTEND_HOST", "frontend"), ("FRONTEND_PORT", "8080"),
                       ("IMAGE_PROVIDER_HOST", "image-provider"), ("IMAGE_PROVIDER_PORT", "8081")),
    "kafka": (("KAFKA_HEAP_OPTS", "-Xmx600M -Xms600M"),),
    "load-generator": (("LOCUST_USERS", "30"), ("LOCUST_SPAWN_RATE", "5")),
    "product-reviews": (("DB_POOL_SIZE", "20"), ("LLM_BASE_URL", "http://llm:8000/v1")),
}  # fmt: skip
_FLAG_READERS = {"ad", "cart", "email", "fraud-detection", "frontend", "load-generator", "payment",
                 "product-catalog", "recommendation", "shipping"}  # fmt: skip

# Settings a workload reads from a mounted ConfigMap and reloads when it changes.
SETTINGS = {
    "cart": ("cart-settings", (("cache.connectTimeoutMs", "2000"), ("cache.maxConnections", "64"))),
    "product-catalog": ("product-catalog-settings", (("catalog.reloadIntervalSec", "10"),
                                                     ("server.maxConcurrentStreams", "100"))),
}  # fmt: skip


def pod_labels(workload: str) -> Labels:
    """Return the labels by which selectors find a workload's pods."""
    return (
        ("app.kubernetes.io/component", workload),
        ("app.kubernetes.io/instance", SHOP),
        ("opentelemetry.io/name", workload),
    )


def address(caller: str, callee: str, port: int) -> str:
    """Return the right value of the caller's address variable."""
    if callee == "postgresql" and caller == "accounting":
        return f"Host=postgresql;Port={port};Username=otelu;Database=otel"
    if callee == "postgresql":
        return f"host=postgresql port={port} user=otelu dbname=otel"
    scheme = "http://" if (caller, callee) in _WITH_SCHEME else ""
    return f"{scheme}{callee}:{port}"


def _environment(name: str, port: int) -> Labels:
    ports = {row[0]: row[1] for row in _ROWS}
    env = [(f"{name.upper().replace('-', '_')}_PORT", str(port))]
    env += [
        (variable, address(caller, callee, ports[callee]))
        for (caller, callee), variable in ADDRESS_VARIABLES.items()
        if caller == name
    ]
    env += _EXTRA_ENV.get(name, ())
    if name in _FLAG_READERS:
        env += [("FLAGD_HOST", "flagd"), ("FLAGD_PORT", "8013")]
    env.append(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel-collector:4317"))
    return tuple(env)


def _workload(row: tuple[str, int, str, int, int, int, int, int, int, int, int]) -> Workload:
    name, port, language, replicas, cpu, cpu_limit, memory, memory_limit, idle, cost, usage = row
    template = PodTemplate(
        image=_THIRD_PARTY_IMAGES.get(name, f"{REGISTRY}:{RELEASE}-{name}"),
        env=_environment(name, port),
        cpu_request_m=cpu,
        cpu_limit_m=cpu_limit,
        memory_request_mi=memory,
        memory_limit_mi=memory_limit,
        config_map=SETTINGS[name][0] if name in SETTINGS else FLAGS_CONFIG if name == "flagd" else None,
    )
    return Workload(name, port, language, replicas, template, idle, cost, usage)


WORKLOADS = {row[0]: _workload(row) for row in _ROWS}

# Autoscaled workloads: the least and the most replicas.
AUTOSCALED = {"cart": (2, 5), "frontend": (2, 6), "frontend-proxy": (2, 6), "product-catalog": (2, 6)}
CPU_TARGET_PERCENT = 85


@dataclass(frozen=True)
class Node:
    name: str
    address: str
    labels: Labels
    cpu_m: int = 8000
    memory_mi: int = 16000


def nodes(suffix: str) -> tuple[Node, ...]:
    """Return the three workers, named after a cluster-wide suffix."""
    return tuple(
        Node(
            name=f"worker-{suffix}-{number}",
            address=f"172.18.0.{number + 2}",
            labels=(
                ("kubernetes.io/arch", "amd64"),
                ("kubernetes.io/hostname", f"worker-{suffix}-{number}"),
                ("kubernetes.io/os", "linux"),
                ("node.kubernetes.io/instance-type", "m5.2xlarge"),
                ("topology.kubernetes.io/zone", f"zone-{'abc'[number - 1]}"),
            ),
        )
        for number in (1, 2, 3)
    )


# Who else lives in the cluster: namespace -> (pod owner, one on each node?).
NEIGHBOURS: dict[str, tuple[tuple[str, bool], ...]] = {
    CHAOS: (("chaos-controller-manager", False), ("chaos-daemon", True), ("chaos-dashboard", False)),
    "clickhouse": (("clickhouse", False),),
    "kube-system": (("coredns", False), ("kube-proxy", True)),
    "metrics-server": (("metrics-server", False),),
    "opensearch": (("opensearch-master", False),),
    "opentelemetry-collectors": (("otel-collector", False), ("kubernetes-objects-collector", False)),
    "prometheus": (("prometheus-server", False), ("kube-state-metrics", False), ("alertmanager", False)),
}
