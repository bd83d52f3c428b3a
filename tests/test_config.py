"""seg_sql.yml, profiles.yml and schema.yml: an error names the file, the line and the next step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seg_sql.config import load_project_config
from seg_sql.errors import ConfigError
from seg_sql.options import MEASURES, RfmOptions
from seg_sql.profiles import PostgresTarget, load_target
from seg_sql.project import load_project

GOOD = """\
name: shop
inputs:
  order_lines:
    relation: raw.sales
    columns:
      customer_id: CustomerID
      order_id: InvoiceNo
"""


@pytest.mark.parametrize(
    ("text", "line", "said", "hint"),
    [
        ("name: shop\ninputz: {}\n", 2, "Unknown key 'inputz'", "Did you mean 'inputs'?"),
        (GOOD + "    wher: 'a = 1'\n", 8, "inputs.order_lines.wher", "Did you mean 'where'?"),
        (GOOD + "      itemid: x\n", 8, "no column 'itemid'", "Did you mean 'item_id'?"),
        (GOOD + "    path: x.csv\n", 3, "either 'relation' (a table) or 'path'", ""),
        (GOOD + "vars: {as_of: soon}\n", 8, "as_of", ""),
        (GOOD + "vars: {as_off: 2026-01-01}\n", 8, "No model reads", "Did you mean 'as_of'?"),
        (GOOD + "vars: {timezone: Europe/Lundon}\n", 8, "no time zone 'Europe/Lundon'", ""),
        (GOOD + "models:\n  rmf: {bins: 5}\n", 9, "no model 'rmf'", "Did you mean 'rfm'?"),
        (GOOD + "models:\n  rfm:\n    binz: 5\n", 10, "no option 'binz'", "Did you mean 'bins'?"),
        (GOOD + "models:\n  rfm:\n    bins: 12\n", 10, "equal to 9, not 12", ""),
        (GOOD + "models:\n  rfm: {bins: many}\n", 9, "must be a whole number, not 'many'", ""),
        (GOOD + "models:\n  rfm: {ties: odd}\n", 9, "must be 'value' or 'ntile', not 'odd'", ""),
        (GOOD + "vars: []\n", 8, "'vars': must be a mapping", ""),
        (GOOD + "vars:\n  as_of: 2011-13-01\n", 9, "There is no such date", "as 2026-12-31"),
        (GOOD + "prefix: crm-\n", 8, "must be lower-case letters, digits and _", ""),
        (GOOD + "vars: {timezone: Europe/Berln}\n", 8, "write Europe/Berlin", ""),
        (GOOD + "models:\n  rfm: {bins: 4}\n", 9, "segment map rf_10", ""),
        (GOOD + "models:\n  orders: {materialised: view}\n", 9, "materialised", "materialized"),
        (GOOD + "name: again\n", 8, "given twice", ""),
        ("name: My Shop\n", 1, "lower-case letters", ""),
        ("inputs: {}\n", 1, "'name' is missing", ""),
        ("", 0, "empty, or not a mapping", ""),
        ("name: [shop\n", 2, "Not valid YAML", ""),
        (GOOD + "    attributes: [Country, country]\n", 8, "given twice", ""),
        (GOOD + "    attributes: [amount]\n", 8, "name of a column", ""),
    ],
)
def test_a_fault_names_its_line_and_what_is_known(
    tmp_path: Path, text: str, line: int, said: str, hint: str
) -> None:
    path = tmp_path / "seg_sql.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert said in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert caught.value.where == (f"{path}:{line}" if line else str(path))
    assert caught.value.exit_code == 2


def test_without_a_project_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no seg_sql") as caught:
        load_project(tmp_path)
    assert "seg-sql init" in str(caught.value.hint)


def test_money_is_mapped_once(tmp_path: Path) -> None:
    columns = {"amount": "a", "quantity": "q", "unit_price": "p"}
    config = {"name": "shop", "inputs": {"order_lines": {"relation": "r", "columns": columns}}}
    (tmp_path / "seg_sql.yml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="either amount, or quantity and unit_price"):
        load_project_config(tmp_path)


def test_command_line_variables_win(tmp_path: Path) -> None:
    (tmp_path / "seg_sql.yml").write_text(GOOD + "vars: {as_of: 2026-01-01, refunds: drop}\n")
    project = load_project(tmp_path, {"as_of": "2025-12-31"})
    assert project.template_vars()["as_of"].isoformat() == "2025-12-31"
    assert project.vars.refunds == "drop"


@given(
    st.one_of(st.integers(2, 9), st.fixed_dictionaries({m: st.integers(2, 9) for m in MEASURES}))
)
def test_bins_are_one_number_or_one_a_measure(bins: Any) -> None:
    options = RfmOptions.model_validate({"bins": bins, "segment_map": "mine"})
    for measure in MEASURES:
        expected = bins if isinstance(bins, int) else bins[measure]
        assert getattr(options.bins, measure) == expected


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=8, unique=True))
def test_cut_points_ascend_and_decide_the_bins(cuts: list[int]) -> None:
    given_cuts = {"cut_points": {"recency": sorted(cuts)}, "segment_map": "mine"}
    assert RfmOptions.model_validate(given_cuts).bins.recency == len(cuts) + 1
    if len(cuts) > 1:
        descending = {"cut_points": {"recency": sorted(cuts, reverse=True)}, "segment_map": "mine"}
        with pytest.raises(ValueError, match="must ascend"):
            RfmOptions.model_validate(descending)


@given(
    st.dictionaries(
        st.sampled_from(["name", "profile", "prefix", "publish", "inputs", "vars", "models", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
            max_leaves=6,
        ),
    )
)
def test_any_yaml_is_a_project_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "seg_sql.yml").write_text(yaml.safe_dump(content))
    try:
        load_project(folder)
    except ConfigError as error:
        assert str(folder) in str(error.where)


def profile(tmp_path: Path, text: str) -> Path:
    (tmp_path / "profiles.yml").write_text(text)
    return tmp_path


PROFILE = """\
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: warehouse.duckdb}
    prod:
      type: postgres
      host: db.example.org
      user: analyst
      password: "{{ env_var('SHOP_PASSWORD') }}"
      dbname: sales
      schema: crm
"""


def test_profiles_are_dbts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    folder = profile(tmp_path, PROFILE)
    dev = load_target(folder, "shop", None)
    assert (dev.type, dev.schema_) == ("duckdb", "seg_sql")
    assert dev.described == str(tmp_path / "warehouse.duckdb")
    prod = load_target(folder, "shop", "shop", target="prod")
    assert isinstance(prod, PostgresTarget)
    assert (prod.schema_, prod.dbname, prod.port) == ("crm", "sales", 5432)
    assert prod.password is not None
    assert prod.password.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{prod!r} {prod.described}"


def test_without_profiles_it_is_a_file_beside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    target = load_target(tmp_path, "shop", None)
    assert target.described == str(tmp_path / "shop.duckdb")


def test_profiles_of_another_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the project it is a mistake; ~/.dbt may well be about others."""
    home, project = tmp_path / "home" / ".dbt", tmp_path / "project"
    text = "store: {target: dev, outputs: {dev: {type: duckdb, path: store.duckdb}}}\n"
    for folder in (home, project):
        folder.mkdir(parents=True)
        (folder / "profiles.yml").write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    with pytest.raises(ConfigError, match="There is no profile 'shop'") as raised:
        load_target(project, "shop", None)
    assert raised.value.hint == "Name one in seg_sql.yml: profile: store"
    (project / "profiles.yml").unlink()
    assert load_target(project, "shop", None).described == str(project / "shop.duckdb")


def test_profiles_search_order_is_dbts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, DBT_PROFILES_DIR, the project's folder, ~/.dbt: the first that is there."""
    folders = {}
    for name in ("option", "environment", "project", "home/.dbt"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "profiles.yml").write_text(
            f"shop: {{target: dev, outputs: {{dev: {{type: duckdb, path: /{name[:4]}.duckdb}}}}}}\n"
        )
        folders[name] = folder
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(folders["environment"]))
    found = load_target(folders["project"], "shop", None, profiles_dir=folders["option"])
    assert found.described == "/opti.duckdb"
    assert load_target(folders["project"], "shop", None).described == "/envi.duckdb"
    monkeypatch.delenv("DBT_PROFILES_DIR")
    assert load_target(folders["project"], "shop", None).described == "/proj.duckdb"
    (folders["project"] / "profiles.yml").unlink()
    assert load_target(folders["project"], "shop", None).described == "/home.duckdb"


@pytest.mark.parametrize(
    ("text", "target", "line", "said", "hint"),
    [
        (PROFILE, "prd", 3, "no target 'prd'", "Did you mean 'prod'?"),
        (PROFILE, "prod", 5, "SHOP_PASSWORD is not set", "env_var('SHOP_PASSWORD', '...')"),
        (PROFILE.replace("duckdb, path", "duckbd, path"), None, 4, "duckbd", "'duckdb'"),
        (PROFILE.replace("path:", "pth:"), None, 4, "shop.outputs.dev.pth", "'path'"),
        (PROFILE.replace("shop:", "shoop:"), None, None, "no profile 'shop'", "'shoop'"),
    ],
)
def test_faults_of_a_profile(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    target: str | None,
    line: int | None,
    said: str,
    hint: str,
) -> None:
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    folder = profile(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_target(folder, "shop", "shop", target=target)
    assert said in str(caught.value)
    assert hint in (caught.value.hint or "")
    where = folder / "profiles.yml"
    assert caught.value.where == (f"{where}:{line}" if line else str(where))
