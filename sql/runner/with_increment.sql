-- An incremental table as it will be: the rows that stay, and the new ones.
select
    {% for column, is_known in columns -%}
    {{ column if is_known else 'null as ' ~ column }}{{ ',' if not loop.last }}
    {% endfor -%}
from {{ published }} as kept
where not exists (
    select 1
    from {{ new_rows }} as new_rows
    where
        {% for column in key -%}
        new_rows.{{ column }} = kept.{{ column }}{{ ' and' if not loop.last }}
        {% endfor -%}
)

union all

select
    {% for column, is_known in columns -%}
    {{ column }}{{ ',' if not loop.last }}
    {% endfor -%}
from {{ new_rows }} as new_rows
