"""The marks on the map: land, circles, squares, bands, labels, each as an element of SVG.

Verdicts differ in shape and in words, not only in colour. Colours and lines are the style sheet's.
"""

from __future__ import annotations

from collections.abc import Sequence

from diga_verify.formats.html_markup import Html, element, fragment
from diga_verify.formats.placemap_land import STEP
from diga_verify.formats.placemap_layout import LINE, Box, Label, Point
from diga_verify.model import Verdict

SQUARE = 10.0
"""Half the side of an area's square."""
_SIGNS = {Verdict.COMPLIANT: "M-4 0l3 3.5l5 -7", Verdict.VIOLATION: "M-3.5 -3.5l7 7m0 -7l-7 7"}
_LETTERS = {Verdict.UNVERIFIED: "?", Verdict.WAIVED: "w"}


def land(rows: str, box: Box) -> Html:
    """Dots as dashes of no length with round ends, one line for each run of land."""
    drawn = []
    for number, row in enumerate(rows.splitlines()):
        y = box.top + (number + 0.5) * STEP
        start = 0
        for run in row.replace(".#", ". #").replace("#.", "# .").split(" "):
            if run.startswith("#"):
                x = box.left + (start + (1.0 if number % 2 else 0.5)) * STEP
                drawn.append(f"M{units(x)} {units(y)}h{units((len(run) - 1) * STEP + 0.1)}")
            start += len(run)
    return element("path", d="".join(drawn), class_="land", stroke_dasharray=f"0 {STEP}")


def frame(box: Box) -> Html:
    """The outline of what is drawn elsewhere, and larger."""
    return _rectangle(box, class_="frame")


def idle(point: Point) -> Html:
    """A region in which nothing lies."""
    return _circle(point, 2.5, "idle")


def band(points: Sequence[Point], pairs: Sequence[tuple[Point, Point]], verdict: Verdict) -> Html:
    """What links the regions of an area; of a single one, a dot beneath it."""
    strokes = pairs or [(points[0], (points[0][0] + 0.1, points[0][1]))]
    path = "".join(f"M{units(a)} {units(b)}L{units(c)} {units(d)}" for (a, b), (c, d) in strokes)
    return element("path", d=path, class_=f"band {verdict}")


def disc(center: Point, radius: float, verdict: Verdict, title: str | None = None) -> Html:
    """A region, or its like in the legend."""
    told = [element("title", title)] if title is not None else []
    ring = [_circle(center, radius + 4, "ring violation")] if verdict is Verdict.VIOLATION else []
    shape = _circle(center, radius, f"disc {verdict}")
    return element("g", *told, *ring, shape, _sign(center, verdict, max(1.0, radius / 11)))


def square(center: Point, letter: str, verdict: Verdict) -> Html:
    """An area, by its letter."""
    x, y = center
    shape = _rectangle(Box(x - SQUARE, y - SQUARE, x + SQUARE, y + SQUARE), class_=f"disc {verdict}", rx="4")
    ring = _rectangle(Box(x - 13, y - 13, x + 13, y + 13), class_="ring violation", rx="6")
    rings = [ring] if verdict is Verdict.VIOLATION else []
    return element("g", *rings, shape, _letter(center, letter, verdict))


def globe(center: Point, verdict: Verdict) -> Html:
    """Anywhere."""
    x, y = center
    style = f"globe {verdict}"
    parallels = f"M{units(x - 12)} {units(y)}h24M{units(x - 10)} {units(y - 6)}h20M{units(x - 10)} {units(y + 6)}h20"
    meridian = element("ellipse", cx=units(x), cy=units(y), rx="5", ry="12", class_=style)
    return element("g", _circle(center, 12, style), meridian, element("path", d=parallels, class_=style))


def rule(left: float, right: float, y: float) -> Html:
    """A line across."""
    return element("path", d=f"M{units(left)} {units(y)}H{units(right)}", class_="rule")


def heading(said: str, x: float, y: float) -> Html:
    """The name of a part of the drawing."""
    return element("text", said, x=units(x), y=units(y), class_="panel")


def note(said: str, x: float, y: float, *, style: str = "label", anchor: str | None = None) -> Html:
    """One line of text."""
    return element("text", said, x=units(x), y=units(y), class_=style, text_anchor=anchor)


def labelled(label: Label, name: str, more: Sequence[str], verdict: Verdict) -> Html:
    """A label beside what it names, with a line to it where it stands farther off."""
    leader = []
    if label.leader is not None:
        (a, b), (c, d) = label.leader
        leader.append(element("path", d=f"M{units(a)} {units(b)}L{units(c)} {units(d)}", class_="leader"))
    return fragment(*leader, words((label.x, label.box.top + 11), name, more, verdict, label.anchor))


def words(at: Point, name: str, more: Sequence[str], verdict: Verdict, anchor: str | None = None) -> Html:
    """A name, in bold up to two blanks, and lines below it, of which the last is a verdict unless compliant."""
    x, y = at
    bold, _, rest = name.partition("  ")
    spans = [element("tspan", element("tspan", bold, class_="name"), f" {rest}" if rest else "", x=units(x))]
    for number, line in enumerate(more, 1):
        style = f"verdict {verdict}" if number == len(more) and verdict is not Verdict.COMPLIANT else None
        spans.append(element("tspan", line, x=units(x), dy=units(LINE), class_=style))
    return element("text", *spans, y=units(y), class_="label", text_anchor=anchor)


def units(number: float) -> str:
    """A length or a place in the drawing."""
    return f"{number:.1f}".removesuffix(".0")


def _sign(center: Point, verdict: Verdict, size: float) -> Html:
    """What tells verdicts apart without colour."""
    if verdict in _LETTERS:
        return _letter(center, _LETTERS[verdict], verdict)
    place = f"translate({units(center[0])} {units(center[1])}) scale({units(size)})"
    return element("path", d=_SIGNS[verdict], transform=place, class_="sign")


def _letter(center: Point, letter: str, verdict: Verdict) -> Html:
    return element("text", letter, x=units(center[0]), y=units(center[1] + 4), class_=f"letter {verdict}")


def _circle(center: Point, radius: float, style: str) -> Html:
    return element("circle", cx=units(center[0]), cy=units(center[1]), r=units(radius), class_=style)


def _rectangle(box: Box, class_: str, rx: str | None = None) -> Html:
    width, height = units(box.right - box.left), units(box.bottom - box.top)
    return element("rect", x=units(box.left), y=units(box.top), width=width, height=height, rx=rx, class_=class_)
