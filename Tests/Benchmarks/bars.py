"""The picture of a comparison: for each case a bar of each peer's time, relative to fxfer's."""

from quantities import time_text
from results import groups, ratio
from svg import BLUE, FAINT, INK, TEAL, Drawing

WIDTH, LABELS, NUMBERS, ROW, BAR = 760, 190, 150, 20, 13
#: A longer bar is cut there; its number says how long it is.
LONGEST = 6.0
COLOURS = {"fxfer": BLUE, "fxfer-tls": TEAL}


def draw(results):
    """The source of the SVG."""
    drawing = Drawing(WIDTH, "Time of transfers, relative to fxfer")
    y = 22
    for group in groups(results):
        shown = [(result, ratio(result, group)) for result in group]
        shown = [(result, times) for result, times in shown if times is not None]
        if shown:
            y = _group(drawing, y, group[0], shown)
    drawing.text(LABELS, y, f"time relative to fxfer (shorter is faster), and the median; bars of more than {LONGEST:.0f} × are cut", size=11)
    return drawing.source(y + 14)


def _group(drawing, y, first, shown):
    """Draws one case below `y`, answers where the next one begins."""
    scale = (WIDTH - LABELS - NUMBERS) / min(LONGEST, max(times for _, times in shown))
    drawing.text(0, y, f"{first.case.title}, on {first.where}", size=14, weight="bold")
    top = y + 8
    bottom = top + len(shown) * ROW
    drawing.line([(LABELS + scale, top), (LABELS + scale, bottom)], FAINT)
    for number, (result, times) in enumerate(shown):
        middle = top + number * ROW + ROW / 2
        length = scale * min(times, LONGEST)
        drawing.text(LABELS - 8, middle + 4, result.peer.title, anchor="end")
        drawing.bar(LABELS, middle - BAR / 2, length, BAR, COLOURS.get(result.peer.name, INK))
        cut = "… " if times > LONGEST else ""
        drawing.text(LABELS + length + 6, middle + 4, f"{cut}{times:.2f} ×  ({time_text(result.median)})")
    return bottom + 30
