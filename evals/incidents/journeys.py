"""What visitors of the shop do, and which service calls which to serve it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ENTRANCE = "frontend-proxy"
VISITORS = "load-generator"
QUEUE = "kafka"
# Of these a caller sees only its own side: they write no spans.
SILENT = {"valkey-cart", "postgresql", QUEUE}


@dataclass(frozen=True)
class Call:
    callee: str
    operation: str  # the span's name on the callee's side
    own_ms: float  # mean time the callee itself takes
    calls: tuple[Call, ...] = ()  # made one after the other
    critical: bool = True  # False: the caller goes on without an answer
    protocol: str = "grpc"


@dataclass(frozen=True)
class Journey:
    """A request of a visitor; the call is the entrance's."""

    method: str
    route: str
    share: float  # of all requests
    call: Call


def _grpc(callee: str, method: str, own_ms: float, *calls: Call, critical: bool = True) -> Call:
    return Call(callee, f"oteldemo.{method}", own_ms, calls, critical)


def _valkey(command: str) -> Call:
    return Call("valkey-cart", command, 1.1, protocol="valkey")


def _sql(statement: str, own_ms: float) -> Call:
    return Call("postgresql", statement, own_ms, protocol="postgresql")


_PRODUCT = _grpc("product-catalog", "ProductCatalogService/GetProduct", 4)
_GET_CART = _grpc("cart", "CartService/GetCart", 5, _valkey("HGET"))
_QUOTE = _grpc("shipping", "ShippingService/GetQuote", 6, Call("quote", "POST /getquote", 9, protocol="http"))
_PLACE_ORDER = _grpc(
    "checkout",
    "CheckoutService/PlaceOrder",
    12,
    _GET_CART,
    _PRODUCT,
    _grpc("currency", "CurrencyService/Convert", 3),
    _QUOTE,
    _grpc("payment", "PaymentService/Charge", 14),
    _grpc("shipping", "ShippingService/ShipOrder", 7),
    _grpc("cart", "CartService/EmptyCart", 5, _valkey("HMSET")),
    Call("email", "POST /send_order_confirmation", 16, critical=False, protocol="http"),
    Call(QUEUE, "orders publish", 4, protocol="kafka"),
)
_RECOMMEND = _grpc(
    "recommendation",
    "RecommendationService/ListRecommendations",
    9,
    _grpc("product-catalog", "ProductCatalogService/ListProducts", 6),
)
_REVIEWS = _grpc("product-reviews", "ProductReviewService/GetProductReviews", 11, _sql("SELECT reviews", 7))
_ADD_ITEM = _grpc("cart", "CartService/AddItem", 5, _valkey("HMSET"))
_CURRENCIES = _grpc("currency", "CurrencyService/GetSupportedCurrencies", 2)


def _page(method: str, route: str, share: float, own_ms: float, *calls: Call) -> Journey:
    frontend = Call("frontend", f"{method} {route}", own_ms, calls, protocol="http")
    return Journey(method, route, share, Call(ENTRANCE, "ingress", 1.6, (frontend,), protocol="http"))


JOURNEYS = (
    _page("GET", "/", 0.12, 16),
    _page("GET", "/api/products/{productId}", 0.24, 9, _PRODUCT),
    _page("GET", "/api/recommendations", 0.11, 8, _RECOMMEND),
    _page("GET", "/api/data", 0.11, 7, _grpc("ad", "AdService/GetAds", 8)),
    _page("GET", "/api/product-reviews/{productId}", 0.07, 8, _REVIEWS),
    _page("GET", "/api/cart", 0.09, 9, _GET_CART, _PRODUCT),
    _page("POST", "/api/cart", 0.08, 9, _PRODUCT, _ADD_ITEM),
    _page("POST", "/api/checkout", 0.07, 14, _PLACE_ORDER),
    _page("GET", "/api/currency", 0.03, 6, _CURRENCIES),
    _page("GET", "/api/shipping", 0.02, 7, _QUOTE),
    Journey(
        "GET",
        "/images/products/{picture}",
        0.06,
        Call(ENTRANCE, "ingress", 1.6, (Call("image-provider", "GET /products", 3, protocol="http"),),
             protocol="http"),
    ),
)  # fmt: skip

# What happens to an order after the shop has published it; each group of consumers gets all of them.
CONSUMERS = (
    Call("accounting", "orders process", 12, (_sql("INSERT orderitem", 8),), protocol="kafka"),
    Call("fraud-detection", "orders process", 9, protocol="kafka"),
)


def callers() -> dict[str, tuple[str, ...]]:
    """Return who calls whom: callee -> its callers, each once, in alphabetical order."""
    found: dict[str, set[str]] = {}
    for caller, call in edges():
        found.setdefault(call.callee, set()).add(caller)
    return {callee: tuple(sorted(names)) for callee, names in sorted(found.items())}


def edges() -> Iterator[tuple[str, Call]]:
    """Yield every call with the one who makes it; consumers are called by kafka."""
    for journey in JOURNEYS:
        yield from _below(VISITORS, journey.call)
    for consumer in CONSUMERS:
        yield from _below(QUEUE, consumer)


def _below(caller: str, call: Call) -> Iterator[tuple[str, Call]]:
    yield caller, call
    for inner in call.calls:
        yield from _below(call.callee, inner)
