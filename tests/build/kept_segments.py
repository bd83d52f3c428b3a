"""What the history of segments has, and what it was written with."""

from __future__ import annotations

from build_shop import BuildShop

# Not the clusters: three customers cannot be told apart well, and a fit takes its time.
NO_CLUSTERS = {"customer_clusters": {"enabled": False}}
SOURCES = {"rfm": "segment", "customer_lifecycle": "stage"}
MARCH, APRIL = {"as_of": "2026-03-01"}, {"as_of": "2026-04-01"}


def history(shop: BuildShop) -> set[tuple[str, str, str, str]]:
    rows = shop.rows("customer_segment_history")
    found = {(str(r["as_of"]), r["source"], r["customer_id"], r["segment"]) for r in rows}
    assert len(found) == len(rows)
    return found


def published(shop: BuildShop) -> set[tuple[str, str, str, str]]:
    """Return what the sources themselves say, as rows of the history."""
    return {
        (str(row["as_of"]), source, row["customer_id"], row[segment])
        for source, segment in SOURCES.items()
        for row in shop.rows(source)
    }


def published_of(shop: BuildShop, source: str) -> set[tuple[str, str, str, str]]:
    rows = shop.rows(source)
    return {(str(r["as_of"]), source, r["customer_id"], r[SOURCES[source]]) for r in rows}
