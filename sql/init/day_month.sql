-- Which part of dates such as 03/04/2026 is above 12, and so can only be a day.
-- Grain: one row.
with

sample as (

    select trim(cast({{ column }} as text)) as date_text
    from {{ source }} as source_rows
    {%- if limit %}
    limit {{ limit }}
    {%- endif %}

),

parts as (

    select
        date_text,
        lpad(split_part(translate(date_text, '.-', '//'), '/', 1), 2, '0') as first_part,
        lpad(split_part(translate(date_text, '.-', '//'), '/', 2), 2, '0') as second_part
    from sample
    where translate(date_text, '0123456789', '9999999999') in ({{ shapes | join(', ') }})

)

select
    count(case when first_part > '12' then 1 end) as first_is_day,
    min(case when first_part > '12' then date_text end) as first_example,
    count(case when second_part > '12' then 1 end) as second_is_day,
    min(case when second_part > '12' then date_text end) as second_example
from parts
