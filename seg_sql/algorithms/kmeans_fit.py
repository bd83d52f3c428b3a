"""KMeans inside the database: Lloyd's algorithm; every statement is in sql/algorithms/kmeans/.

A fit goes up a ladder. On a small hash sample several starts are drawn and moved until each has
converged or is clearly behind; the best goes on to a larger sample, and then to all rows, where a
few rounds are left to do. What is published is exact: each row is in the cluster of the nearest
published centroid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seg_sql.algorithms import Fit, Task
from seg_sql.algorithms.kmeans import OUTPUTS
from seg_sql.algorithms.kmeans_features import Prepared
from seg_sql.algorithms.kmeans_lloyd import Candidate, Cluster, Record, best_of, clusters_of, run
from seg_sql.algorithms.kmeans_options import KMeansOptions
from seg_sql.algorithms.kmeans_outputs import (
    Clustering,
    assigned_sql,
    by_size,
    labels,
    tables,
    z_scores,
)
from seg_sql.algorithms.kmeans_points import Points, all_rows, half, levels
from seg_sql.algorithms.kmeans_prepare import feature_names, prepare
from seg_sql.algorithms.kmeans_quality import (
    Quality,
    assigned,
    choose,
    quality,
    scaled_up,
    stability,
    summaries,
)
from seg_sql.algorithms.kmeans_refit import matched, previous_fit, stored_fit
from seg_sql.algorithms.kmeans_seed import (
    BATCH,
    Centroids,
    cells,
    draw,
    rounded,
    spread_out,
    starts,
)
from seg_sql.errors import ModelError

if TYPE_CHECKING:
    from seg_sql.step import Steps

# The starts of a k that are tried on the sample: the best of the restarts among the cells.
FINALISTS = 3
FINALISTS_OF_MANY = 2
HALVES = ("first half", "second half")
SAMPLE_ROUNDS = 100
# Below the last level of the ladder, and for the halves, this many times the tolerance will do.
ROUGHLY = 10.0
# Where all rows are no more than a sample, rounds are cheap, and this many times is taken.
FINELY = 0.01
FEW_ROWS = 20_000
FINALISTS_OF_FEW = 5
BATCH_OF_FEW = 48
SMALL_SHARE = 0.01
# This share of the inertia is left, rather than read all rows once more.
NOT_WORTH_A_PASS = 5e-5


def fit(step: Steps, relation: str, task: Task) -> Fit:
    """Cluster the rows of a relation; leave a work table for each output.

    Raises:
        ModelError: The rows or the options allow no clustering; says which and why.
    """
    if task.keep_fit and {"centroids", "features", "profile", ""} <= set(task.previous):
        return _scored(step, relation, task)
    options: KMeansOptions = task.options
    columns = step.engine.describe(step.sql("columns", relation=relation))
    names = feature_names(columns, task.key, options, task.model)
    made_before = len(step.made)
    clusterings = []
    warnings: list[str] = []
    for group_key, rows in _groups(step, relation, options):
        prepared = prepare(
            step,
            rows,
            group_key,
            columns=columns,
            key=task.key,
            names=names,
            options=options,
        )
        clustering, said = _fit_group(step, prepared, task)
        clusterings.append(clustering)
        warnings += said if group_key == "all" else [f"{group_key}: {each}" for each in said]
    assignments = _assignments(step, clusterings, task)
    found = assigned(step, assignments)
    clusterings = [_measured(step, each, found) for each in clusterings]
    warnings += [said for each in clusterings for said in _small(each)]
    outputs = {"": assignments, **tables(step, clusterings)}
    scratch = [name for name in step.made[made_before:] if name not in outputs.values()]
    step.drop(*scratch)
    return Fit(
        outputs=outputs,
        status=_status(clusterings),
        warnings=warnings,
        parameters=_parameters(clusterings),
    )


def _groups(step: Steps, relation: str, options: KMeansOptions) -> list[tuple[str, str]]:
    """Return each group and the relation of its rows."""
    if not options.group_by:
        return [("all", relation)]
    columns = [step.engine.quote(name) for name in options.group_by]
    found = step.rows("groups", relation=relation, columns=columns)
    if not found:
        raise ModelError(f"{step.model} has no row to cluster.")
    groups = []
    for row in found:
        literal = step.engine.literal(row["group_key"])
        select = step.sql("group_rows", relation=relation, columns=columns, group_key=literal)
        groups.append((row["group_key"], step.relation(step.table(select))))
    return groups


def _fit_group(step: Steps, prepared: Prepared, task: Task) -> tuple[Clustering, list[str]]:
    options: KMeansOptions = task.options
    warnings = []
    record = Record()
    ladder = levels(step, prepared, options)
    given = _given_starts(step, prepared, task)
    if given is not None:
        candidates = [Candidate(len(given), 0, ladder[-1], given)]
        ladder = ladder[-1:]
    else:
        candidates = _started(step, ladder[0], prepared, options)
    final = ladder[-1]
    last = len(ladder) == 1
    run(
        step,
        candidates,
        record,
        tolerance=options.tolerance * (FINELY if last else ROUGHLY),
        max_rounds=options.max_iterations if last else SAMPLE_ROUNDS,
    )
    qualities: list[Quality] = []
    finalists = {}
    for k in sorted({each.k for each in candidates}):
        mine = [each for each in candidates if each.k == k and not each.part]
        finalists[k] = best_of(mine)
    for points in ladder[1:]:
        if points.table and (points is not final or len(finalists) > 1):
            _climb(step, list(finalists.values()), points, record, options, SAMPLE_ROUNDS)
    qualities, chosen, reason, caution = _compared(
        step, finalists, candidates, ladder, prepared, options
    )
    if caution:
        warnings.append(caution)
    best = finalists[chosen]
    step.drop(*(points.table for points in ladder if points.table and points is not final))
    if best.points is not final:
        _climb(step, [best], final, record, options, options.max_iterations)
    if best.status == "max_iterations":
        warnings.append(
            f"not converged after {options.max_iterations} rounds (MAX_ITER): raise"
            " max_iterations or tolerance"
        )
    clustering = _finished(step, prepared, best, task)
    # What is said of the chosen k is measured on the assignments, once they are made.
    qualities = [
        replace(each, chosen=each.k == chosen, chosen_reason=reason if each.k == chosen else None)
        for each in qualities
    ]
    notes = {"status": best.status, "iterations": best.iterations}
    return (
        replace(clustering, qualities=qualities, rounds=record.rounds, notes=notes),
        warnings,
    )


def _given_starts(step: Steps, prepared: Prepared, task: Task) -> Centroids | None:
    """Return the start centroids that the options or the last fit give."""
    options: KMeansOptions = task.options
    if options.init_centroids is not None:
        rows = step.rows(
            "start_centroids",
            relation=options.init_centroids,
            group_key=step.engine.literal(prepared.group_key) if options.group_by else None,
        )
        values: dict[Any, dict[str, float]] = {}
        for row in rows:
            values.setdefault(row["cluster_id"], {})[row["feature"]] = float(row["value"])
        for id_, by_feature in values.items():
            missing = {each.name for each in prepared.features} - by_feature.keys()
            if missing:
                raise ModelError(
                    f"{task.model}: the start centroid {id_} has no value of '{min(missing)}'."
                )
        if len(values) < 2 or (isinstance(options.k, int) and options.k != len(values)):
            raise ModelError(
                f"{task.model}: {options.init_centroids} holds {len(values)} start centroids"
                f" of the group '{prepared.group_key}'; k is {options.k}."
            )
        return tuple(
            rounded([each.scaled(by_feature[each.name]) for each in prepared.features])
            for by_feature in values.values()
        )
    if options.warm_start and isinstance(options.k, int):
        last = previous_fit(step, task, prepared)
        if last is not None and len(last) == options.k:
            return tuple(rounded(centroid) for centroid in last.values())
    return None


def _started(
    step: Steps, points: Points, prepared: Prepared, options: KMeansOptions
) -> list[Candidate]:
    """Choose the starts of every k: on the points, and on their two halves for the stability."""
    ks = options.candidates
    if options.init == "random":
        drawn = draw(step, points, max(ks) * options.restarts, seed=options.seed, batch=0)
        distinct = len(dict.fromkeys(drawn))
        if distinct < max(ks):
            drawn = spread_out(step, points, max(ks), seed=options.seed)
            distinct = len(drawn)
        if distinct < max(ks):
            raise _too_few(step, prepared, max(ks), distinct)
        found = [
            Candidate(k, restart, points, tuple(map(rounded, drawn[restart * k : restart * k + k])))
            for k in ks
            for restart in range(min(options.restarts, len(drawn) // k))
        ]
        for number, part in enumerate(HALVES):
            source = half(step, points, prepared.xs, first=number == 0)
            drawn = draw(step, source, max(ks), seed=options.seed, batch=number + 1)
            found += [
                Candidate(k, 100 * (number + 1), source, tuple(map(rounded, drawn[:k])), part)
                for k in ks
                if len(drawn) >= k
            ]
        return found
    few = points.rows <= FEW_ROWS
    size = min(BATCH_OF_FEW, points.rows // 8) if few and len(ks) == 1 else 0
    drawn = spread_out(step, points, max(ks), seed=options.seed, batch_size=max(BATCH, size))
    if options.k == "auto":
        # Few customers cannot be parted into many clusters: what is left of the range is searched.
        ks = [k for k in ks if k <= len(drawn)] or [min(ks)]
    if len(drawn) < max(ks):
        raise _too_few(step, prepared, max(ks), len(drawn))
    everything, *halves = cells(step, points, drawn)
    candidates = []
    finalists = FINALISTS if len(ks) == 1 else FINALISTS_OF_MANY
    if few:
        finalists = max(finalists, options.restarts if len(ks) == 1 else FINALISTS_OF_FEW)
    for k in ks:
        best = starts(everything, k, options.restarts, seed=options.seed)
        for start in best[:finalists]:
            candidates.append(Candidate(k, start.restart, points, start.centroids))
        for number, among in enumerate(halves):
            part = HALVES[number]
            source = half(step, points, prepared.xs, first=number == 0)
            for start in starts(among, k, options.restarts, seed=options.seed, part=part)[:1]:
                restart = 100 * (number + 1) + start.restart
                candidates.append(Candidate(k, restart, source, start.centroids, part))
    return candidates


def _too_few(step: Steps, prepared: Prepared, k: int, distinct: int) -> ModelError:
    where = "" if prepared.group_key == "all" else f" in the group '{prepared.group_key}'"
    return ModelError(
        f"{step.model}: k is {k}, but only {distinct} rows differ in their features{where}.",
        hint="Take a smaller k, or more features.",
    )


def _climb(
    step: Steps,
    finalists: Sequence[Candidate],
    points: Points,
    record: Record,
    options: KMeansOptions,
    max_rounds: int,
) -> None:
    """Go on with the finalists on more points."""
    for each in finalists:
        each.points, each.sizes = points, ()
    run(
        step,
        finalists,
        record,
        tolerance=options.tolerance,
        max_rounds=max_rounds,
        drop=False,
    )


def _compared(
    step: Steps,
    finalists: Mapping[int, Candidate],
    candidates: Sequence[Candidate],
    ladder: Sequence[Points],
    prepared: Prepared,
    options: KMeansOptions,
) -> tuple[list[Quality], int, str, str | None]:
    """Measure every k on the largest points that are a work table, and choose one."""
    ks = sorted(finalists)
    pairs: dict[int, tuple[Centroids, Centroids]] = {}
    for k in ks:
        halves = [
            [each for each in candidates if each.k == k and each.part == part] for part in HALVES
        ]
        if all(halves):
            pairs[k] = (best_of(halves[0]).centroids, best_of(halves[1]).centroids)
    found = stability(step, list(pairs.values()), ladder[0]) if pairs else []
    indices = dict(zip(pairs, found, strict=True))
    if len(ks) == 1:
        only = Quality(ks[0], 0.0, 0.0, None, None, 0.0, indices.get(ks[0]))
        given = options.init_centroids or (options.warm_start and not pairs)
        return [only], ks[0], "start centroids were given" if given else "k was given", None
    points = finalists[ks[0]].points
    measured = summaries(step, [finalists[k].centroids for k in ks], points.source)
    qualities = [
        scaled_up(
            replace(quality(clusters, finalists[k].centroids), stability_ari=indices.get(k)),
            prepared.total / points.weight,
        )
        for k, clusters in zip(ks, measured, strict=True)
    ]
    chosen, reason, caution = choose(qualities, options)
    return qualities, chosen, reason, caution


def _finished(step: Steps, prepared: Prepared, best: Candidate, task: Task) -> Clustering:
    """Sum up the final clusters over all rows, give them ids and labels."""
    last = previous_fit(step, task, prepared)
    everything = all_rows(step, prepared)
    centroids, clusters, counted = best.centroids, best.clusters, False
    if best.points.raws and best.left <= NOT_WORTH_A_PASS * best.inertia:
        # The last move is not made: the pass before it has counted the clusters.
        centroids, counted = best.measured, True
    # Ties go to the lowest id, so the ids stand before the rows are counted; should the sizes then
    # be in another order, which takes a last small move, they are counted once more.
    for _ in range(3):
        order = by_size([cluster.weight for cluster in clusters], centroids)
        ids, matches = matched(tuple(centroids[place] for place in order), last)
        order = [order[ids.index(id_)] for id_ in sorted(ids)]
        centroids = tuple(centroids[place] for place in order)
        if counted:
            clusters = tuple(clusters[place] for place in order)
            break
        [clusters] = clusters_of(step, [(everything, centroids)])
        sizes = [cluster.weight for cluster in clusters]
        if last is not None or by_size(sizes, centroids) == list(range(len(sizes))):
            break
    total = sum(cluster.weight for cluster in clusters)
    scores = z_scores(clusters, prepared.features, total)
    return Clustering(
        group_key=prepared.group_key,
        features=prepared.features,
        centroids=centroids,
        ids=tuple(sorted(ids)),
        labels=tuple(labels(scores, [each.name for each in prepared.features])),
        prepared=prepared,
        clusters=clusters,
        matches=matches,
    )


def _measured(
    step: Steps, clustering: Clustering, found: Mapping[tuple[str, int], Cluster]
) -> Clustering:
    """Return a clustering with the distances of the rows as they were assigned."""
    prepared = clustering.prepared
    assert prepared is not None
    made = [found.get((clustering.group_key, id_)) for id_ in clustering.ids]
    clusters: list[Cluster] = []
    for cluster, as_assigned in zip(clustering.clusters, made, strict=True):
        if as_assigned is None or as_assigned.rows != cluster.rows or prepared.weight is not None:
            # Weights are not in the assignments. A difference is a row between two centroids, which
            # another form of the distances puts to the other side.
            raws = [f"raw{place}" for place in range(len(prepared.features))]
            source = prepared.points(step, raw=True)
            clusters = summaries(step, [clustering.centroids], source, raws=raws)[0]
            break
        clusters.append(
            replace(
                cluster,
                inertia=as_assigned.inertia,
                distance=as_assigned.distance,
                silhouette=as_assigned.silhouette,
            )
        )
    measured = quality(clusters, clustering.centroids)
    qualities = [
        replace(
            measured,
            stability_ari=each.stability_ari,
            chosen=True,
            chosen_reason=each.chosen_reason,
        )
        if each.chosen
        else each
        for each in clustering.qualities
    ]
    return replace(clustering, clusters=clusters, qualities=qualities)


def _small(clustering: Clustering) -> list[str]:
    """Warn of a cluster that holds next to nothing."""
    best = next(each for each in clustering.qualities if each.chosen)
    if best.smallest_cluster_share >= SMALL_SHARE:
        return []
    where = "" if clustering.group_key == "all" else f" of '{clustering.group_key}'"
    return [
        f"the smallest of the {best.k} clusters{where} holds"
        f" {best.smallest_cluster_share:.2%} of the rows: winsorize or transform the features, or"
        " take a smaller k"
    ]


def _assignments(step: Steps, clusterings: Sequence[Clustering], task: Task) -> str:
    relations = []
    for each in clusterings:
        prepared = each.prepared
        assert prepared is not None
        relations.append(
            (
                prepared.relation,
                prepared.conditions,
                [feature.context(step) for feature in prepared.features],
            )
        )
    select = assigned_sql(
        step, clusterings, relations, task.key, as_of=task.as_of, fitted_as_of=task.as_of
    )
    return step.table(select, work=False)


def _status(clusterings: Sequence[Clustering]) -> str:
    iterations = max(each.notes["iterations"] for each in clusterings)
    if any(each.notes["status"] == "max_iterations" for each in clusterings):
        return f"MAX_ITER in {iterations}"
    return f"CONVERGED in {iterations}"


def _parameters(clusterings: Sequence[Clustering]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in clusterings:
        end = "" if each.group_key == "all" else f".{each.group_key}"
        best = next(quality for quality in each.qualities if quality.chosen)
        found[f"k{end}"] = best.k
        found[f"inertia{end}"] = best.inertia
        found[f"silhouette{end}"] = best.silhouette
        found[f"iterations{end}"] = each.notes["iterations"]
    return found


def _scored(step: Steps, relation: str, task: Task) -> Fit:
    """Assign today's rows to the published clusters, which stay as they are."""
    outputs = {"": step.table(apply(step, task.previous, relation, task), work=False)}
    for name in OUTPUTS[1:]:
        if name in task.previous:
            select = step.sql("columns", relation=task.previous[name])
            outputs[name] = step.table(select, work=False)
    return Fit(outputs=outputs, status="SCORED with the last fit")


def apply(step: Steps, outputs: Mapping[str, str], relation: str, task: Task) -> str:
    """Return one plain SELECT that assigns the rows of a relation to published clusters.

    Args:
        step: Renders it; nothing is written.
        outputs: The relations of a fit: features, centroids, profile, and '' for its day.
        relation: What to score: the key, the features, and the group columns if there are any.
        task: The key and the options; as_of is today's.
    """
    options: KMeansOptions = task.options
    clusterings, fitted_as_of = stored_fit(step, outputs)
    if not clusterings:
        raise ModelError(f"{task.model} has no fit to score with.", hint="Build it first.")
    relations = []
    for each in clusterings:
        conditions = [f"{step.engine.quote(name)} is not null" for name in task.key]
        conditions += [
            f"{step.engine.quote(feature.name)} is not null"
            for feature in each.features
            if feature.fill_value is None
        ]
        if options.group_by:
            columns = [step.engine.quote(name) for name in options.group_by]
            literal = step.engine.literal(each.group_key)
            conditions.append(f"{step.sql('group_key', columns=columns)} = {literal}")
        relations.append(
            (relation, conditions, [feature.context(step, exact=True) for feature in each.features])
        )
    return assigned_sql(
        step, clusterings, relations, task.key, as_of=task.as_of, fitted_as_of=fitted_as_of
    )
