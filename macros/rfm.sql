{# How many of the cut points lie below `value`: strictly ('right'), or at it as well ('left'). #}
{% macro cuts_below(value, cuts, boundary='right') -%}
    (
    {%- for cut in cuts -%}
        case when {{ value }} {{ '>' if boundary == 'right' else '>=' }} {{ cut }} then 1 else 0 end
        {{- ' + ' if not loop.last }}
    {%- else -%}
        0
    {%- endfor -%}
    )
{%- endmacro %}

{# The score of a measure, 1 to `bins`: the more the better, but fewer days since the last order. #}
{% macro rfm_score(measure, value, cuts, bins, boundary='right') -%}
    {%- if measure == 'recency' -%}
        ({{ bins }} - {{ seg_sql.cuts_below(value, cuts, boundary) }})
    {%- else -%}
        (1 + {{ seg_sql.cuts_below(value, cuts, boundary) }})
    {%- endif -%}
{%- endmacro %}

{# Groups of equal size from worst to best; equal values are parted by the customer's id. #}
{% macro rfm_tile(measure, value, key, bins) -%}
    ntile({{ bins }}) over (
        order by {{ value }}{{ ' desc' if measure == 'recency' }}, {{ seg_sql.bin(key) }}
    )
{%- endmacro %}

{# Three scores as one text, '543'. #}
{% macro rfm_code(r_score, f_score, m_score) -%}
    cast({{ r_score }} as {{ seg_sql.text() }})
        || cast({{ f_score }} as {{ seg_sql.text() }})
        || cast({{ m_score }} as {{ seg_sql.text() }})
{%- endmacro %}

{# A cut point out of rfm_cut_points: the upper end of the score below it. Recency counts down. #}
{% macro rfm_cut(measure, cut, bins) -%}
    max(case
        when measure = '{{ measure }}' and score = {{ bins - cut + 1 if measure == 'recency' else cut }}
            then upper_bound
    end)
{%- endmacro %}

{# The score of a customer by the chosen way: from the cut points in `cuts`, whose columns are
   <measure>_cut_1 and so on, or in groups of equal size. #}
{% macro rfm_scored(measure, value, key, options) -%}
    {%- if options.ties[measure] == 'ntile' -%}
        {{ seg_sql.rfm_tile(measure, value, key, options.bins[measure]) }}
    {%- else -%}
        {%- set cuts = [] -%}
        {%- for cut in range(1, options.bins[measure]) -%}
            {%- do cuts.append('cuts.' ~ measure ~ '_cut_' ~ cut) -%}
        {%- endfor -%}
        {{ seg_sql.rfm_score(measure, value, cuts, options.bins[measure], options.boundary) }}
    {%- endif -%}
{%- endmacro %}
