-- The days that the history has of one source.
select distinct as_of
from {{ history }} as history
where source = {{ seg_sql.lit(source) }}
