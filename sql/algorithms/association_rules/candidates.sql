{#- The columns of the candidate without one of its items. -#}
{%- macro without(dropped) -%}
    {%- for place in range(1, size) %}
        {{ 'on' if loop.first else 'and' }} without_{{ dropped }}.item_{{ place }} =
        {{- ' candidate.item_' ~ (place if place < dropped else place + 1) }}
    {%- endfor -%}
{%- endmacro -%}
-- Itemsets that may be frequent: two frequent sets with the same prefix, joined. A candidate with a
-- subset that is not frequent cannot be frequent itself, and is cut before anything is counted
-- (Agrawal and Srikant 1994, Fast Algorithms for Mining Association Rules).
-- Grain: prefix_number, other_number, the numbers of the two sets.
select
    candidate.prefix_number,
    candidate.other_number
from (
    select
        earlier.set_number as prefix_number,
        later.set_number as other_number,
        {%- for place in range(1, size) %}
        earlier.item_{{ place }},
        {%- endfor %}
        later.last_item as item_{{ size }}
    from {{ sets }} as earlier
    inner join {{ sets }} as later
        on later.prefix_number = earlier.prefix_number
        and later.last_item > earlier.last_item
) as candidate
{%- for dropped in range(1, size - 1) %}
inner join {{ sets }} as without_{{ dropped }}
    {{- without(dropped) }}
{%- endfor %}
