-- How many ids there are in several forms: with and without spaces at their ends, and with small
-- and capital letters.
-- Grain: one row per difference, 'spaces' or 'case', that some id has.
with

sample as (

    select cast({{ column }} as text) as id_text
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

),

ids as (

    select id_text, trim(id_text) as bare_text
    from sample
    where trim(id_text) <> ''

),

forms as (

    select 'spaces' as difference, min(bare_text) as example
    from ids
    group by bare_text
    having count(distinct id_text) > 1

    union all

    select 'case' as difference, min(bare_text) as example
    from ids
    group by upper(bare_text)
    having count(distinct bare_text) > 1

)

select difference, count(*) as n_ids, min(example) as example
from forms
group by difference
order by difference desc
