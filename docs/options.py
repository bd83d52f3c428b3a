"""Write docs/options.md: every variable and every option of a model, from what validates them.

python docs/options.py
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from seg_sql.algorithm import load
from seg_sql.config import algorithm_names
from seg_sql.options import MODEL_OPTIONS, ProjectVars

PAGE = Path(__file__).with_suffix(".md")

HEAD = """\
# Options

Made by `python docs/options.py` from the models that validate them; the JSON Schema of
`seg-sql docs --json-schema` says the same to an editor. An option of a model stands in seg_sql.yml
(`models: {rfm: {bins: 5}}`), or in the model's own `config()`; `--vars` comes before seg_sql.yml,
and seg_sql.yml before `config()`.
"""


def page() -> str:
    """Return the text of the page."""
    parts = [
        HEAD,
        _section("vars", "Variables of a project: `vars: {as_of: 2026-07-01}`", ProjectVars),
    ]
    for name, options in MODEL_OPTIONS.items():
        parts.append(_section(name, f"Options of the model `{name}`", options))
    for name in algorithm_names():
        algorithm = load(name)
        tables = ", ".join(
            f"`<model>_{output}`" if output else "`<model>`" for output in algorithm.outputs
        )
        title = f"Options of models with `materialized='{name}'`, which publish {tables}"
        parts.append(_section(name, title, algorithm.options))
    return "\n".join(parts)


def _section(name: str, title: str, options: type[BaseModel]) -> str:
    rows = [
        f"| `{key}` | {_default(field)} | {field.description} |"
        for key, field in options.model_fields.items()
    ]
    return "\n".join(
        [f"## {name}", "", f"{title}.", "", "| | default | |", "|---|---|---|", *rows, ""]
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        values = list(value.model_dump().values())
        value = values[0] if values.count(values[0]) == len(values) else values
    if isinstance(value, dict) and list(value) == ["*"]:
        value = value["*"]
    return "" if value is None or value == [] else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
