-- The lines of the sampled CSV files that could not be read, by reason.
select
    error_type,
    count(*) as n_lines,
    min(line) as first_line
from (
    select distinct file_id, line, cast(error_type as text) as error_type
    from {{ rejects }}
) as broken
group by error_type
order by n_lines desc, error_type
