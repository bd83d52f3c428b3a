"""The report in headless Chromium, in light and dark mode, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hand_tables
import pytest
from shop import Shop
from test_report import CHARTS, written

# The parts of a drawing that carry data, not axes or legends.
MARKS = """
figure => [...figure.querySelectorAll('svg .role-mark :is(path, line, text), svg .role-mark')]
    .filter(mark => mark.matches(':is(path, line)'))
    .filter(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 0 })
    .length
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by playwright."""
    executable = os.environ.get("SEG_SQL_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        missing = "no Chromium: apt-get install chromium, or set SEG_SQL_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield chromium
        chromium.close()


def test_the_report_in_chromium(browser: Any, duckdb_shop: Shop) -> None:
    """No console error, no request but the file, marks in every chart, and no sideways scroll."""
    hand_tables.make(duckdb_shop)
    written(duckdb_shop)
    file = (duckdb_shop.folder / "report.html").as_uri()
    grounds = set()
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        said: list[str] = []
        requested: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.on("request", lambda request, requested=requested: requested.append(request.url))
        page.goto(file)
        assert said == []
        assert requested == [file]
        figures = {
            figure.get_attribute("id"): figure.evaluate(MARKS)
            for figure in page.query_selector_all("figure")
        }
        assert list(figures) == CHARTS
        assert not [name for name, marks in figures.items() if marks == 0]
        assert page.evaluate("document.documentElement.scrollWidth") == width
        described = page.evaluate(
            "[...document.querySelectorAll('svg')].every(svg => svg.getAttribute('aria-labelledby')"
            ".split(' ').every(id => document.getElementById(id).textContent.length > 3))"
        )
        assert described
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        ink = page.evaluate(
            "getComputedStyle(document.querySelector('#segment-shares svg text')).fill"
        )
        assert ink == page.evaluate("getComputedStyle(document.body).color")
        page.close()
    assert len(grounds) == 2


def test_the_report_on_paper(browser: Any, duckdb_shop: Shop, tmp_path: Path) -> None:
    """In print the ground is white even for a reader in dark mode."""
    hand_tables.make(duckdb_shop, "customer_lifecycle")
    written(duckdb_shop)
    page = browser.new_page(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.goto((duckdb_shop.folder / "report.html").as_uri())
    read = "[getComputedStyle(document.body).{}, getComputedStyle({}).{}]"
    svg_text = "document.querySelector('svg text')"
    ground, ink = page.evaluate(read.format("backgroundColor", svg_text, "fill"))
    assert ground == "rgb(255, 255, 255)"
    assert ink == "rgb(31, 42, 51)"
    page.close()
