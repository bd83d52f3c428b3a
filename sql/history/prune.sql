-- What is older than the project keeps (var history_keep) goes.
delete from {{ history }}
where
    as_of < {{ seg_sql.add_months(seg_sql.as_of(), -1 * var('history_keep')) }}
    and source = {{ seg_sql.lit(source) }}
