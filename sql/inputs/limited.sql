{#- A user's own input, as it is, for --empty and --sample. -#}
select {{ columns | join(', ') }}
from {{ source }} as raw_rows
{%- if conditions %}
where
    {{ conditions | join('\n    and ') }}
{%- endif %}
