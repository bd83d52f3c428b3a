-- The rows of one source at one as_of make room for new ones.
delete from {{ history }}
where as_of = {{ seg_sql.as_of() }} and source = {{ seg_sql.lit(source) }}
