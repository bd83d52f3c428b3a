-- The history as it will be once the models of this run are published: what stays, merged ids
-- replaced, and the new rows.
select {{ columns | join(', ') }}
from {{ history }} as history
where
    {% if new_sources -%}
    not (
        as_of = {{ seg_sql.as_of() }}
        and source in ({% for source in new_sources %}{{ seg_sql.lit(source) }}{{ ', ' if not loop.last }}{% endfor %})
    )
    {%- else -%}
    1 = 1
    {%- endif %}
    {%- if merges %}
    and customer_id not in (select customer_id from {{ merges }} as merges)
    {%- endif %}
{%- if merged_rows %}

union all

select {{ columns | join(', ') }}
from (
{{ merged_rows }}
) as merged_rows
{%- endif %}
{%- if new_sources %}

union all

select {{ columns | join(', ') }}
from (
{{ rows }}
) as new_rows
{%- endif %}
