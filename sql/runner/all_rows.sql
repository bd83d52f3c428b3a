{#- The rows of a relation: every column, in no order and without a limit, unless they are given. -#}
select {{ columns | default(['*']) | join(', ') }}
from {{ relation }} as relation
{%- if order_by | default([]) %}
order by {{ order_by | join(', ') }}
{%- endif %}
{%- if limit | default(none) is not none %}
limit {{ limit }}
{%- endif %}
