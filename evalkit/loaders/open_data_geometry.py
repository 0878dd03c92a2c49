"""Just enough plane geometry to say in which perimeter a commune lies (degrees taken as plane coordinates).

Polygons are GeoJSON coordinates: a list of rings, the first one outside, the others holes. Perimeters are simplified and
some are not valid in the strict sense; only one point is tested, chosen far inside the commune, so it does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Point = tuple[float, float]
Ring = Sequence[Sequence[float]]
Polygon = Sequence[Ring]


def polygons_of(geometry: dict[str, Any]) -> list[Polygon]:
    """Polygons of a GeoJSON ``Polygon`` or ``MultiPolygon``; empty for anything else."""
    if geometry.get("type") == "Polygon":
        return [geometry["coordinates"]]
    if geometry.get("type") == "MultiPolygon":
        return list(geometry["coordinates"])
    return []


def contains(polygons: Iterable[Polygon], point: Point) -> bool:
    """Tell whether a point is inside one of the polygons and in none of its holes."""
    return any(
        polygon and _in_ring(polygon[0], point) and not any(_in_ring(hole, point) for hole in polygon[1:])
        for polygon in polygons
    )


def interior_point(polygons: Sequence[Polygon]) -> Point | None:
    """A point far inside the largest polygon; ``None`` when there is no area.

    Horizontal lines cut the polygon at nine heights; the middle of the widest inside stretch is kept. Unlike a centroid it
    never falls outside a crescent nor in a hole.
    """
    sized = [(abs(_area(polygon[0])), polygon) for polygon in polygons if polygon and len(polygon[0]) >= 3]
    area, largest = max(sized, key=lambda item: item[0], default=(0.0, []))
    if area <= 0:
        return None
    heights = [point[1] for point in largest[0]]
    low, high = min(heights), max(heights)
    best: tuple[float, Point] | None = None
    for step in range(1, 10):
        y = low + (high - low) * (step / 10 + 1e-7)
        for left, right in _inside_stretches(largest, y):
            if best is None or right - left > best[0]:
                best = (right - left, ((left + right) / 2, y))
    return best[1] if best and best[0] > 0 else None


def _edges(ring: Ring) -> Iterable[tuple[Sequence[float], Sequence[float]]]:
    return zip(ring, [*ring[1:], ring[0]], strict=True)


def _in_ring(ring: Ring, point: Point) -> bool:
    x, y = point
    inside = False
    for a, b in _edges(ring):
        if (a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]:
            inside = not inside
    return inside


def _area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in _edges(ring)) / 2


def _inside_stretches(polygon: Polygon, y: float) -> Iterable[tuple[float, float]]:
    crossings = sorted(
        (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]
        for ring in polygon
        for a, b in _edges(ring)
        if (a[1] > y) != (b[1] > y)
    )
    return zip(crossings[::2], crossings[1::2], strict=False)
