"""The report: what the published tables say, as one HTML file to mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seg_sql import __version__
from seg_sql.errors import ConfigError, StartError
from seg_sql.session import Settings, session
from seg_sql.wording import counted


def report(settings: Settings, *, output: Path | None, charts: Path | None) -> Iterator[str]:
    """Write the report, and each chart to the folder `charts`; yield what to say.

    Raises:
        StartError: If the packages that draw are not installed.
        ConfigError: If nothing is built, or a file cannot be written.
    """
    try:
        from seg_sql.report import contents
        from seg_sql.report import page as page_
    except ImportError as error:
        raise StartError(
            f"The report is drawn by altair and vl-convert; {error.name} is not installed.",
            hint="pip install 'seg-sql[report]'",
        ) from error
    target = output or settings.project_dir / "report.html"
    with session(settings) as workspace:
        source = contents.source_of(workspace)
        project = workspace.project.name
        lead, headline = contents.headline(source)
        parts, left_out = contents.parts(source)
    text = page_.page(
        title=f"Customers of {project}",
        headline=headline,
        lead=lead,
        parts=parts,
        left_out=left_out,
        notes=[
            f"Groups of fewer than {source.min_group} customers are pooled or left out.",
            f"Made by seg-sql {__version__} from the tables of the project {project}.",
        ],
    )
    figures = [figure for part in parts for figure in part.figures]
    try:
        target.write_text(text, "utf-8")
        if charts is not None:
            charts.mkdir(parents=True, exist_ok=True)
            for figure in figures:
                page_.save(figure, charts)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or target} cannot be written: {error.strerror or error}.",
            hint="Name a file with --output, and a folder with --charts.",
        ) from error
    for line in left_out:
        yield f"Left out: {line}"
    size = len(text.encode()) // 1000
    yield (
        f"Wrote {target}: {counted(len(parts), 'part')}, {counted(len(figures), 'chart')},"
        f" {size:,} kB."
    )
    if charts is not None:
        yield f"Wrote {2 * len(figures)} files to {charts}: each chart as PNG and SVG."
