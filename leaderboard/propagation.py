"""How a fault spread, from the ground truth: a drawing, and the same in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evals.grading.patterns import without_pod_suffix
from leaderboard.layering import Edge, Layout, Place, Spacing, layered

MOST_NODES = 40
LONGEST_NAME = 30
# Pixels; a name is set in a monospaced face of 12 px, the line above it in a narrower one of 11 px.
NAME_CHARACTER, KIND_CHARACTER = 7.3, 6.2
LEAST_WIDTH = 96
PADDING = 12
NODE_HEIGHT = 44
ACROSS = 56  # between two columns, where the arrows bend
MARGIN = 4
SPACING = Spacing(node=NODE_HEIGHT, lane=12, gap=14)


@dataclass(frozen=True)
class Entity:
    """What one id of the ground truth stands for."""

    id: str
    kind: str  # empty: the id is not among the groups
    name: str
    namespace: str  # empty: cluster-scoped or not told
    root: bool

    @property
    def words(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def short_name(self) -> str:
        return shortened(self.name)

    @property
    def label(self) -> str:
        """The line above the name."""
        kind = shortened(self.kind) if self.kind else "not among the groups"
        return f"{kind} · root cause" if self.root else kind

    @property
    def text_width(self) -> float:
        return max(len(self.short_name) * NAME_CHARACTER, len(self.label) * KIND_CHARACTER)

    @property
    def title(self) -> str:
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.words}{place}{', a root cause' if self.root else ''}"


@dataclass(frozen=True)
class Step:
    """One propagation."""

    source: Entity
    target: Entity
    condition: str  # empty: not told
    effect: str

    @property
    def sentence(self) -> str:
        because = f" (because: {self.condition})" if self.condition else ""
        return f"{self.source.words} to {self.target.words}: {self.effect or 'effect not told'}{because}"


@dataclass(frozen=True)
class Column:
    """Of the drawing, in pixels."""

    left: float
    width: float

    @property
    def right(self) -> float:
        return self.left + self.width


@dataclass(frozen=True)
class Node:
    """A drawn entity; x and y are its upper left corner, in pixels."""

    entity: Entity
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Arrow:
    """All propagations from one entity to another."""

    path: str  # of SVG, from the left entity to the right one
    title: str
    backward: bool  # its head stands at the beginning of the path


@dataclass(frozen=True)
class Spread:
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    steps: tuple[Step, ...]  # all of them, drawn or not
    left_out: int  # entities that are not drawn, for there are too many
    width: float
    height: float


def spread_of(truth: Mapping[str, Any]) -> Spread | None:
    """Return how the fault spread, or None when the ground truth tells of no propagation.

    `truth` is what `GroundTruth.to_json` gives. Ids that no group has are drawn by the id.
    """
    entities = entities_of(truth)
    steps = tuple(dict.fromkeys(steps_of(truth.get("propagations") or (), entities)))
    if not steps:
        return None
    ids = nearest_first(entities, steps)
    layout = layered(ids[:MOST_NODES], [(step.source.id, step.target.id) for step in steps], SPACING)
    columns = columns_of([entities[each] for each in ids[:MOST_NODES]], layout)
    return Spread(
        nodes=tuple(node_of(entities[each], layout, columns) for each in ids[:MOST_NODES]),
        arrows=tuple(arrow_of(edge, layout, columns, steps) for edge in layout.routes),
        steps=steps,
        left_out=max(len(ids) - MOST_NODES, 0),
        width=columns[-1].right + MARGIN,
        height=round(layout.height + 2 * MARGIN, 1),
    )


def columns_of(drawn: Sequence[Entity], layout: Layout) -> list[Column]:
    """Return the columns from the left, each as wide as its widest text."""
    columns: list[Column] = []
    for number in range(1 + max(layout.columns.values())):
        texts = [entity.text_width for entity in drawn if layout.columns[entity.id] == number]
        left = columns[-1].right + ACROSS if columns else MARGIN
        columns.append(Column(left, round(max(LEAST_WIDTH, *texts)) + 2 * PADDING))
    return columns


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def entities_of(truth: Mapping[str, Any]) -> dict[str, Entity]:
    """Return the entities by id; of two definitions the first is shown, and either makes it a root cause."""
    entities: dict[str, Entity] = {}
    for group in truth.get("groups") or ():
        entity = entity_of(group)
        if entity.root or entity.id not in entities:
            entities[entity.id] = entity
    return entities


def entity_of(group: Mapping[str, Any]) -> Entity:
    patterns = group.get("filters") or ()
    plain = [without_pod_suffix(pattern).removesuffix(r"\b") for pattern in patterns]
    return Entity(
        id=group["id"],
        kind=group["kind"],
        name=" or ".join(dict.fromkeys(plain)) or group.get("name") or group["id"],
        namespace=group.get("namespace") or "",
        root=bool(group.get("root_cause")),
    )


def steps_of(propagations: Iterable[Mapping[str, str]], entities: dict[str, Entity]) -> list[Step]:
    """Return the propagations as steps; ids that are not known yet become entities."""
    steps = []
    for told in propagations:
        ends = told["source"], told["target"]
        source, target = (
            entities.setdefault(each, Entity(each, "", each or "not told", "", root=False)) for each in ends
        )
        steps.append(Step(source, target, told["condition"], told["effect"]))
    return steps


def nearest_first(entities: Mapping[str, Entity], steps: Sequence[Step]) -> list[str]:
    """Return the root causes, then what they led to step by step, then what else takes part."""
    roots = [entity.id for entity in entities.values() if entity.root]
    reached = dict.fromkeys(roots)
    frontier = roots
    while frontier:
        frontier = [
            target
            for source in frontier
            for target in dict.fromkeys(step.target.id for step in steps if step.source.id == source)
            if target not in reached and not reached.update({target: None})
        ]
    others = (end.id for step in steps for end in (step.source, step.target))
    return list(reached | dict.fromkeys(others))


def node_of(entity: Entity, layout: Layout, columns: Sequence[Column]) -> Node:
    column = columns[layout.columns[entity.id]]
    top = layout.heights[entity.id] - NODE_HEIGHT / 2 + MARGIN
    return Node(entity, column.left, round(top, 1), column.width)


def arrow_of(edge: Edge, layout: Layout, columns: Sequence[Column], steps: Sequence[Step]) -> Arrow:
    told = [step.sentence for step in steps if (step.source.id, step.target.id) == edge]
    return Arrow(path_of(layout.routes[edge], layout, columns), "\n".join(told), edge in layout.backward)


def path_of(route: Sequence[Place], layout: Layout, columns: Sequence[Column]) -> str:
    """Return a line that leaves and reaches every column level, and bends between two of them."""
    parts = []
    for here, there in pairwise(route):
        x, end = columns[layout.columns[here]].right, columns[layout.columns[there]].left
        y, end_y = (layout.heights[place] + MARGIN for place in (here, there))
        bend = (x + end) / 2
        parts.append(f"{x:.1f} {y:.1f}C{bend:.1f} {y:.1f} {bend:.1f} {end_y:.1f} {end:.1f} {end_y:.1f}")
    return "M" + "L".join(parts)
