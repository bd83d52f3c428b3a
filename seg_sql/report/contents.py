"""Which parts a report has: those whose tables are built, each with one line where it is not."""

from __future__ import annotations

from seg_sql.errors import ConfigError
from seg_sql.report import affinity, changes, clusters, segments, value
from seg_sql.report.figures import Builder, Part, Source
from seg_sql.report.wording import count, money, percent, sentence, share
from seg_sql.step import Steps
from seg_sql.workspace import Workspace

# The title of each part, the tables that it cannot do without, and what makes it.
PARTS: tuple[tuple[str, tuple[str, ...], Builder], ...] = (
    ("Segments", ("rfm", "rfm_segments"), segments.segments),
    ("What changed", ("segment_moves",), changes.changes),
    ("Lifecycle", ("customer_lifecycle",), segments.lifecycle),
    ("Cohorts", ("cohort_retention",), segments.cohorts),
    ("Customer lifetime value", ("clv", "clv_fit"), value.clv),
    (
        "Clusters",
        (
            "customer_clusters",
            "customer_clusters_profile",
            "customer_clusters_quality",
            "customer_clusters_fit",
        ),
        clusters.clusters,
    ),
    ("Items", ("item_similarity",), affinity.items),
    ("Recommendations", ("recommendations_metrics",), affinity.recommendations),
    ("Data quality", ("input_quality",), changes.quality),
)
# The first of these that is built says how old the report is.
_DATED = ("rfm", "customer_lifecycle", "clv", "customer_clusters")


def source_of(workspace: Workspace) -> Source:
    """Return where figures come from.

    Raises:
        ConfigError: If nothing is built that could be shown.
    """
    built = frozenset(workspace.built())
    if built.isdisjoint(table for _, needed, _ in PARTS for table in needed):
        raise ConfigError(
            f"Nothing is built in {workspace.engine.schema} yet.", hint="Run `seg-sql build`."
        )
    steps = Steps(workspace, "report")
    return Source(steps, workspace.project.vars.min_group, built)


def headline(source: Source) -> tuple[str, list[tuple[str, str]]]:
    """Return which days the report is about, and the figures at the top with what they are.

    There are none of too few customers.
    """
    said, figures = [], []
    row = source.rows("headline")[0] if "orders" in source.built else {"customers": 0}
    if row["customers"] >= source.min_group:
        said.append(f"Purchases from {row['first_order_date']} to {row['last_order_date']}")
        figures = [
            (count(row["customers"]), "customers"),
            (money(row["revenue"]), "revenue, net of refunds"),
            (count(row["purchases"]), "purchases"),
            (money(share(row["revenue"], row["purchases"])), "revenue per purchase"),
            (percent(share(row["repeat_customers"], row["customers"])), "bought more than once"),
        ]
    dated = next((name for name in _DATED if name in source.built), None)
    if dated is not None:
        day = source.rows("as_of", model=dated)[0]["as_of"]
        said.append(f"as of {day}, the first day that was not read")
    return sentence(f"{', '.join(said)}.") if said else "", figures


def parts(source: Source) -> tuple[list[Part], list[str]]:
    """Return the parts that can be made, and one line for each that cannot."""
    made: list[Part] = []
    left_out: list[str] = []
    for title, needed, build in PARTS:
        missing = [table for table in needed if table not in source.built]
        found = f"{missing[0]} is not built" if missing else build(source)
        if isinstance(found, Part):
            made.append(found)
        else:
            left_out.append(f"{title}: {found}.")
    return made, left_out
