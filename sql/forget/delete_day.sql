-- The rows that a history has of one as_of go.
delete from {{ history }}
where as_of = {{ seg_sql.date_literal(day) }}
