"""A layered layout of a small directed graph: edges run from left to right, and few of them cross."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

Edge = tuple[str, str]
# A node by its name, or the lane that a long edge takes through a column: the edge and the column.
Place = str | tuple[Edge, int]

ROUNDS = 8  # of ordering; small graphs settle in fewer


@dataclass(frozen=True)
class Spacing:
    """Pixels."""

    node: float  # height of a node
    lane: float  # height kept free for an edge that passes through a column
    gap: float


@dataclass(frozen=True)
class Layout:
    columns: Mapping[Place, int]  # from the left, 0 first
    heights: Mapping[Place, float]  # of the middle, in pixels from the top
    routes: Mapping[Edge, Sequence[Place]]  # from the left node to the right one, through its lanes
    backward: frozenset[Edge]  # edges that run from right to left, for they close a cycle
    height: float


def layered(nodes: Sequence[str], edges: Iterable[Edge], spacing: Spacing) -> Layout:
    """Lay the graph out; walks start at the nodes in their order, so the first ones stand left.

    Edges from a node to itself and edges of unknown nodes are left out. Walks are recursive: for
    graphs of some dozens of nodes.
    """
    known = set(nodes)
    drawn = list(dict.fromkeys((a, b) for a, b in edges if a != b and a in known and b in known))
    backward = backward_edges(nodes, drawn)
    rightward = {edge: edge[::-1] if edge in backward else edge for edge in drawn}
    columns: dict[Place, int] = {}
    columns.update(columns_of(nodes, rightward.values()))
    routes = {edge: route_of(turned, columns) for edge, turned in rightward.items()}
    columns |= {
        lane: columns[route[0]] + step for route in routes.values() for step, lane in enumerate(route)
    }
    heights = heights_of(columns, routes.values(), spacing)
    top = min((heights[place] - size_of(place, spacing) / 2 for place in heights), default=0.0)
    heights = {place: height - top for place, height in heights.items()}
    bottom = max((heights[place] + size_of(place, spacing) / 2 for place in heights), default=0.0)
    return Layout(columns, heights, routes, frozenset(backward), bottom)


def backward_edges(nodes: Iterable[str], edges: Iterable[Edge]) -> set[Edge]:
    """Return the edges that lead back to where a walk came from: without them there is no cycle."""
    targets: dict[str, list[str]] = {}
    for source, target in edges:
        targets.setdefault(source, []).append(target)
    underway: set[str] = set()
    done: set[str] = set()
    backward: set[Edge] = set()

    def walk(node: str) -> None:
        underway.add(node)
        for target in targets.get(node, ()):
            if target in underway:
                backward.add((node, target))
            elif target not in done:
                walk(target)
        underway.remove(node)
        done.add(node)

    for node in nodes:
        if node not in done:
            walk(node)
    return backward


def columns_of(nodes: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return for each node the length of the longest way to it. The edges form no cycle."""
    sources: dict[str, list[str]] = {}
    for source, target in edges:
        sources.setdefault(target, []).append(source)
    columns: dict[str, int] = {}

    def column(node: str) -> int:
        if node not in columns:
            columns[node] = max((column(source) + 1 for source in sources.get(node, ())), default=0)
        return columns[node]

    return {node: column(node) for node in nodes}


def route_of(edge: Edge, columns: Mapping[Place, int]) -> list[Place]:
    lanes: list[Place] = [(edge, column) for column in range(columns[edge[0]] + 1, columns[edge[1]])]
    return [edge[0], *lanes, edge[1]]


def heights_of(
    columns: Mapping[Place, int], routes: Iterable[Sequence[Place]], spacing: Spacing
) -> dict[Place, float]:
    """Draw each place towards the mean of its neighbours, column by column, there and back."""
    neighbours: dict[Place, list[Place]] = {place: [] for place in columns}
    for route in routes:
        for left, right in pairwise(route):
            neighbours[left].append(right)
            neighbours[right].append(left)
    stacks = [
        [place for place in columns if columns[place] == column]
        for column in range(max(columns.values(), default=-1) + 1)
    ]
    heights: dict[Place, float] = {}
    for stack in stacks:
        heights |= stacked(stack, dict.fromkeys(stack, 0.0), spacing)
    # Last from the left: what follows from one node then stands together.
    for turn in range(ROUNDS):
        side = -1 if turn % 2 else 1
        for stack in stacks[::-side]:
            wished = wishes(stack, side, columns, neighbours, heights)
            heights |= stacked(sorted(stack, key=wished.__getitem__), wished, spacing)
    # The order is good: each place moves to the middle of what follows from it, and passes no other.
    for stack in stacks[::-1]:
        wished = wishes(stack, 1, columns, neighbours, heights)
        heights |= stacked(sorted(stack, key=heights.__getitem__), wished, spacing)
    return heights


def wishes(
    stack: Iterable[Place],
    side: int,
    columns: Mapping[Place, int],
    neighbours: Mapping[Place, Sequence[Place]],
    heights: Mapping[Place, float],
) -> dict[Place, float]:
    """Return the mean height of each place's neighbours to the left (-1) or right (1), or its own."""
    wished = {}
    for place in stack:
        beside = [heights[each] for each in neighbours[place] if columns[each] == columns[place] + side]
        wished[place] = fmean(beside) if beside else heights[place]
    return wished


def stacked(places: Sequence[Place], wished: Mapping[Place, float], spacing: Spacing) -> dict[Place, float]:
    """Return heights near the wished ones, in this order from the top, so that nothing overlaps."""
    heights: dict[Place, float] = {}
    free_from = float("-inf")
    for place in places:
        half = size_of(place, spacing) / 2
        heights[place] = max(wished[place], free_from + half)
        free_from = heights[place] + half + spacing.gap
    shift = fmean(wished[place] - heights[place] for place in places) if places else 0.0
    return {place: height + shift for place, height in heights.items()}


def size_of(place: Place, spacing: Spacing) -> float:
    return spacing.node if isinstance(place, str) else spacing.lane
