"""The charts in Altair: bars, columns, lines and heat maps in one calm theme.

Colours of text and lines are few and fixed, so that the page's style sheet can replace them in
dark mode; areas are shades of one hue by opacity, which lie well on either background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

INK = "#1f2a33"
MUTED = "#5c6873"
LINE = "#d9dee2"
ACCENT = "#2c6fa3"
SECOND = "#c77b30"
ON_DARK = "#ffffff"
ON_LIGHT = "#10181f"
# From the best segment to the worst; what is pooled is grey.
PALETTE = (
    "#14746f",
    "#2f9488",
    "#62b0a4",
    "#3f7fbf",
    "#7fa9d6",
    "#9b86c2",
    "#c9ac3c",
    "#dd9440",
    "#c9583f",
    "#8d4a5e",
)
GREY = "#8b949c"
WIDTH = 420

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

# Where neither font is there, as on many a Linux, the one that stands in for them is wider than the
# one that texts were measured with.
_PADDING = {"left": 30, "top": 8, "right": 20, "bottom": 8}
_THEME: Spec = {
    "aria": False,
    "font": "Arial, Helvetica, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 190,
        "titleColor": MUTED,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "domainColor": LINE,
        "tickColor": LINE,
        "gridColor": LINE,
    },
    "text": {"fontSize": 12},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 400,
    },
}


def colour(index: int) -> str:
    """Return a colour of the palette, grey beyond its end."""
    return PALETTE[index] if 0 <= index < len(PALETTE) else GREY


def on(background: str) -> str:
    """Return the colour of text that can be read on a colour.

    >>> on("#14746f") == ON_DARK, on("#c9ac3c") == ON_LIGHT
    (True, True)
    """
    red, green, blue = (int(background[start : start + 2], 16) for start in (1, 3, 5))
    return ON_LIGHT if 0.299 * red + 0.587 * green + 0.114 * blue > 135 else ON_DARK


def _spec(chart: Any) -> Spec:
    made: Spec = chart.to_dict(validate=False)
    return {**made, "config": _THEME, "background": None, "padding": _PADDING}


def _chart(rows: Rows) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def bars(rows: Rows, *, width: int = 300) -> Spec:
    """Return horizontal bars: rows of name, value, label and colour, in their order."""
    base = _chart(rows).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        x=alt.X("value:Q", axis=None),
    )
    drawn = base.mark_bar(cornerRadiusEnd=2).encode(color=alt.Color("colour:N", scale=None))
    text = base.mark_text(align="left", dx=5, color=INK).encode(text="label:N")
    return _spec(alt.layer(drawn, text).properties(width=width, height=alt.Step(26)))


def paired_bars(rows: Rows, sides: Sequence[str], *, width: int = 290) -> Spec:
    """Return two bars a name: rows of name, side, value, label and colour; the first side pale."""
    base = _chart(rows).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        yOffset=alt.YOffset("side:N", sort=list(sides)),
        x=alt.X("value:Q", axis=None),
    )
    drawn = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color("colour:N", scale=None),
        opacity=alt.Opacity(
            "side:N", scale=alt.Scale(domain=list(sides), range=[0.45, 1.0]), legend=None
        ),
    )
    text = base.mark_text(align="left", dx=5, fontSize=11, color=INK).encode(text="label:N")
    return _spec(alt.layer(drawn, text).properties(width=width, height=alt.Step(15)))


def columns(rows: Rows, *, title: str, unit: str = "customers", hue: str = ACCENT) -> Spec:
    """Return upright bars: rows of name and value, in their order."""
    chart = (
        _chart(rows)
        .mark_bar(color=hue)
        .encode(
            x=alt.X(
                "name:N",
                sort=None,
                title=title,
                axis=alt.Axis(labelAngle=0, labelOverlap="parity", labelSeparation=7, ticks=False),
                scale=alt.Scale(paddingInner=0.12),
            ),
            y=alt.Y("value:Q", title=unit, axis=alt.Axis(tickCount=4, domain=False, ticks=False)),
        )
        .properties(width=WIDTH - 60, height=190)
    )
    return _spec(chart)


def lines(
    rows: Rows,
    series: Mapping[str, str],
    *,
    x: str,
    y: str,
    points: bool = True,
    ordinal: bool = False,
    number: str = ",.3~f",
    marked: Mapping[str, Any] | None = None,
) -> Spec:
    """Return lines: rows of x, y and series; `series` gives each its colour.

    `marked` is one point, of x and y, that is ringed.
    """
    horizontal = (
        alt.X("x:O", title=x, axis=alt.Axis(labelAngle=0))
        if ordinal
        else alt.X("x:Q", title=x, axis=alt.Axis(grid=False, tickCount=6, tickMinStep=1))
    )
    base = _chart(rows).encode(
        x=horizontal,
        y=alt.Y(
            "y:Q",
            title=y,
            scale=alt.Scale(zero=False),
            axis=alt.Axis(format=number, tickCount=5, domain=False, ticks=False),
        ),
        color=alt.Color(
            "series:N",
            scale=alt.Scale(domain=list(series), range=list(series.values())),
            legend=alt.Legend() if len(series) > 1 else None,
        ),
    )
    layers: list[Any] = [base.mark_line(strokeWidth=2, point=points)]
    if marked is not None:
        ring = _chart([marked]).mark_point(size=220, color=SECOND, strokeWidth=2.5)
        layers.append(ring.encode(x="x:O" if ordinal else "x:Q", y="y:Q"))
    return _spec(alt.layer(*layers).properties(width=WIDTH - 60, height=200))


def areas(rows: Rows, *, x: str, y: str) -> Spec:
    """Return a curve over the diagonal, both axes from 0 to 1: rows of x and y."""
    axis = alt.Axis(labelExpr="format(100 * datum.value, '.0f') + ' %'", tickCount=5)
    base = _chart(rows).encode(
        x=alt.X("x:Q", title=x, axis=axis, scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("y:Q", title=y, axis=axis, scale=alt.Scale(domain=[0, 1])),
    )
    even = _chart([{"x": 0, "y": 0}, {"x": 1, "y": 1}]).mark_line(
        color=MUTED, strokeDash=[4, 4], strokeWidth=1
    )
    return _spec(
        alt.layer(
            base.mark_area(color=ACCENT, opacity=0.18),
            base.mark_line(color=ACCENT, strokeWidth=2),
            even.encode(x="x:Q", y="y:Q"),
        ).properties(width=WIDTH - 80, height=240)
    )


def heat(
    rows: Rows,
    *,
    x: str,
    y: str,
    width: int,
    height: int = 26,
    hues: tuple[str, str] = (ACCENT, SECOND),
    slanted: bool = False,
    x_order: Sequence[str] | None = None,
) -> Spec:
    """Return a heat map: rows of x, y, shade (-1 to 1) and label, in their order.

    A negative shade takes the second hue.
    """
    label = alt.Axis(
        orient="top", domain=False, ticks=False, labelAngle=-40 if slanted else 0, labelPadding=6
    )
    base = _chart(rows).encode(
        x=alt.X("x:N", sort=list(x_order) if x_order else None, title=x or None, axis=label),
        y=alt.Y("y:N", sort=None, title=y or None, axis=alt.Axis(domain=False, ticks=False)),
    )
    depth = "abs(datum.shade)"
    cells = base.transform_calculate(depth=depth).mark_rect(cornerRadius=1)
    drawn = cells.encode(
        color=alt.condition("datum.shade < 0", alt.value(hues[1]), alt.value(hues[0])),
        fillOpacity=alt.FillOpacity(
            "depth:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 1]), legend=None
        ),
    )
    text = base.mark_text(fontSize=11).encode(
        text="label:N",
        color=alt.condition(f"{depth} > 0.62", alt.value(ON_DARK), alt.value(INK)),
    )
    return _spec(alt.layer(drawn, text).properties(width=alt.Step(width), height=alt.Step(height)))
