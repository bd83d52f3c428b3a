"""Draw the figures and set the page: one HTML file that loads nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair
import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from seg_sql import resources
from seg_sql.report.figures import Figure, Part

_FOLDER = resources.SQL / "report"
_SIZE = re.compile(r' width="([\d.]+)" height="([\d.]+)"')
_NAMES = re.compile(r'(\bid="|url\(#)')
_ROLES = re.compile(r' (?:role|aria-roledescription|aria-hidden)="[^"]*"')


def page(
    *,
    title: str,
    headline: Sequence[tuple[str, str]],
    lead: str,
    parts: Sequence[Part],
    left_out: Sequence[str],
    notes: Sequence[str],
) -> str:
    """Return the report as HTML."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((_FOLDER / "report.html.jinja").read_text("utf-8"))
    return template.render(
        title=title,
        headline=headline,
        lead=lead,
        parts=parts,
        left_out=left_out,
        notes=notes,
        style=Markup((_FOLDER / "report.css").read_text("utf-8")),
        drawing=_drawing,
        anchor=lambda part: re.sub(r"\W+", "-", part.title.lower()),
    )


def _drawing(figure: Figure) -> Markup:
    """Return a figure as SVG that fits its place and says what it shows."""
    svg = _ROLES.sub("", svg_of(figure.spec))
    svg = _NAMES.sub(rf"\g<1>{figure.name}-", svg)
    size = _SIZE.search(svg)
    width = size[1] if size else "600"
    svg = _SIZE.sub("", svg, count=1)
    # The figure has its title and reading as text beside it.
    opening = (
        f'<svg role="img" aria-labelledby="{figure.name}-title {figure.name}-reading"'
        f' style="--width: {width}px"'
    )
    return Markup(svg.replace("<svg", opening, 1))


def svg_of(spec: Mapping[str, Any]) -> str:
    """Return a chart as SVG."""
    if _is_vega(spec):
        return str(vl_convert.vega_to_svg(dict(spec)))
    return str(vl_convert.vegalite_to_svg(dict(spec), vl_version=_version()))


def save(figure: Figure, folder: Path) -> None:
    """Write a figure as SVG and PNG files on white."""
    spec = {**figure.spec, "background": "white"}
    (folder / f"{figure.name}.svg").write_text(svg_of(spec), "utf-8")
    if _is_vega(spec):
        image = vl_convert.vega_to_png(spec, scale=2)
    else:
        image = vl_convert.vegalite_to_png(spec, vl_version=_version(), scale=2)
    (folder / f"{figure.name}.png").write_bytes(image)


def _is_vega(spec: Mapping[str, Any]) -> bool:
    return "/vega/" in spec["$schema"]


def _version() -> str:
    """Return the version of Vega-Lite that altair writes, as vl-convert names it."""
    return ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
