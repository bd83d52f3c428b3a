-- How many rows a history has of one as_of.
select count(*) as row_count
from {{ history }} as history
where as_of = {{ seg_sql.date_literal(day) }}
