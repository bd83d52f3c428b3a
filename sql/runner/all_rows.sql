select {{ columns | join(', ') }}
from {{ relation }} as relation
{%- if order_by %}
order by {{ order_by | join(', ') }}
{%- endif %}
{%- if limit is not none %}
limit {{ limit }}
{%- endif %}
