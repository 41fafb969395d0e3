"""The picture of a growth: time a byte, a file, a client, and the memory of both ends, over their number."""

import math

from processes import RECEIVER, SENDER
from quantities import size_text, time_text
from svg import BLUE, FAINT, OTHERS, TEAL, Drawing

PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, GAP = 230, 150, 66, 70, 84
AXES = (("bytes", "a byte", size_text), ("files", "a file of 4 KiB", "{:,}".format), ("clients", "a client", "{:,}".format))


def draw(results):
    """The source of the SVG."""
    axes = [axis for axis in AXES if any(result.case.axis == axis[0] for result in results)]
    peers = list(dict.fromkeys(result.peer for result in results))
    width = max(520, LEFT + len(axes) * (PANEL_WIDTH + GAP) - GAP + 20)
    drawing = Drawing(width, "Time and memory of transfers as they grow")
    colours = _colours(peers)
    _legend(drawing, peers, colours, width)
    rows = (
        ("time {}", time_text, _decimal_ticks, lambda result: result.median / result.case.value),
        ("peak memory, receiver", size_text, _binary_ticks, lambda result: result.peak(RECEIVER)),
        ("peak memory, sender", size_text, _binary_ticks, lambda result: result.peak(SENDER)),
    )
    for column, (axis, unit, x_text) in enumerate(axes):
        measured = [result for result in results if result.case.axis == axis and not result.failure]
        for row, (title, y_text, ticks, value) in enumerate(rows):
            x, y = LEFT + column * (PANEL_WIDTH + GAP), TOP + row * (PANEL_HEIGHT + 60)
            points = {peer: [(r.case.value, value(r)) for r in measured if r.peer is peer] for peer in peers}
            Panel(x, y, x_text, y_text, ticks).draw(drawing, f"{title.format(unit)}, over {axis}", points, colours)
    return drawing.source(TOP + len(rows) * (PANEL_HEIGHT + 60))


class Panel:
    """Lines from nothing up, over a logarithmic axis; `x` and `y` are the left and the upper edge of the area."""

    def __init__(self, x, y, x_text, y_text, ticks):
        self._x, self._y, self._x_text, self._y_text, self._ticks = x, y, x_text, y_text, ticks

    def draw(self, drawing, title, points, colours):
        drawing.text(self._x, self._y - 10, title, weight="bold")
        every = [point for line in points.values() for point in line]
        if not every:
            return
        across = _logarithmic([x for x, _ in every], self._x + 8, self._x + PANEL_WIDTH - 8)
        up = _linear([y for _, y in every], self._y + PANEL_HEIGHT, self._y + 8)
        left, right, bottom = self._x, self._x + PANEL_WIDTH, self._y + PANEL_HEIGHT
        for value in self._ticks([y for _, y in every]):
            drawing.line([(left, up(value)), (right, up(value))], FAINT)
            drawing.text(left - 5, up(value) + 4, self._y_text(value), size=10, anchor="end")
        for value in sorted({x for x, _ in every}):
            drawing.text(across(value), bottom + 14, self._x_text(value), size=10, anchor="middle")
        drawing.line([(left, self._y), (left, bottom), (right, bottom)])
        for peer, line in points.items():
            places = [(across(x), up(y)) for x, y in sorted(line)]
            drawing.line(places, colours[peer], 2.5 if peer.name.startswith("fxfer") else 1.2)
            for place in places:
                drawing.dot(*place, 2.5, colours[peer])


def _colours(peers):
    own = {"fxfer": BLUE, "fxfer-tls": TEAL}
    others = [peer for peer in peers if peer.name not in own]
    return {peer: own.get(peer.name) or OTHERS[others.index(peer) % len(OTHERS)] for peer in peers}


def _legend(drawing, peers, colours, width):
    x, y = 8, 16
    for peer in peers:
        needed = 24 + 7 * len(peer.title)
        if x + needed > width:
            x, y = 8, y + 18
        drawing.bar(x, y - 8, 12, 8, colours[peer])
        drawing.text(x + 16, y, peer.title)
        x += needed + 10


def _logarithmic(values, start, end):
    """From a value to its place: the logarithms of all lie between `start` and `end`."""
    low, high = math.log(min(values)), math.log(max(values))
    if high - low < 1e-9:
        return lambda _: (start + end) / 2
    return lambda value: start + (end - start) * (math.log(value) - low) / (high - low)


def _linear(values, start, end):
    """From a value to its place: nothing is at `start`, the highest one at `end`, so that flat is flat."""
    return lambda value: start + (end - start) * value / max(values)


def _decimal_ticks(values):
    """Up to five multiples of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(max(values)))
    step = next(step for step in (power / 5, power / 2, power, power * 2, power * 5) if max(values) / step < 6)
    return [step * number for number in range(1, int(max(values) / step) + 1)]


def _binary_ticks(values):
    """Up to four multiples of a power of two."""
    step = 1
    while max(values) / step >= 5:
        step *= 2
    return [step * number for number in range(1, int(max(values) / step) + 1)]
