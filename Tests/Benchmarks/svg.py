"""Drawings by string formatting; their colours can be read on white and on dark."""

import html

#: As far from white as from GitHub's dark background, by contrast (4.2 and 4.5 to 1).
INK = "#757b85"
FAINT = "#757b8555"
#: Of fxfer and of its TLS, then of others in turn.
BLUE, TEAL = "#2f81f7", "#1a9ba8"
OTHERS = ("#d9822b", "#c94f7c", "#8957e5", "#3fa34d", "#b58900", "#cf4a3f", "#7a8b2e", "#6e7681")
FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


class Drawing:
    """Shapes on nothing: the page's own background shows."""

    def __init__(self, width, title):
        self._width, self._title, self._parts = width, title, []

    def text(self, x, y, content, size=12, anchor="start", colour=INK, weight="normal"):
        style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(content)}</text>')

    def bar(self, x, y, width, height, colour):
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect {place} rx="2" fill="{colour}"/>')

    def line(self, points, colour=INK, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x, y, radius, colour):
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def source(self, height):
        """The whole file."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {height}" width="{self._width}"'
        head += f' height="{height}" font-family="{FONT}" role="img">'
        title = f"<title>{html.escape(self._title)}</title>"
        return "\n".join([head, title, *self._parts, "</svg>\n"])
