{#- A condition that keeps the lines whose status is not listed, or is missing. -#}
{%- set status = 'cast(' ~ column ~ ' as text)' if is_enum else column -%}
{%- set status = 'coalesce(' ~ status ~ ", '')" if may_be_null else status -%}
{{ status }} not in ({{ values | join(', ') }})
