-- How many ids there are in several forms that differ only by spaces at their ends.
-- Grain: one row.
with

sample as (

    select cast({{ column }} as text) as id_text
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

),

forms as (

    select trim(id_text) as id_text
    from sample
    group by trim(id_text)
    having count(distinct id_text) > 1

)

select count(*) as n_ids, min(id_text) as example
from forms
where id_text <> ''
