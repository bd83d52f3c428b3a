{# The values of `x` in a group as a list, an aggregate. Their order is not said. #}
{% macro list_of(x) -%}
    {{ adapter.dispatch('list_of', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__list_of(x) -%}
    array_agg({{ x }})
{%- endmacro %}

{% macro duckdb__list_of(x) -%}
    list({{ x }})
{%- endmacro %}


{# The different values of `x`, an integer from 0, in a group as a list, an aggregate. Their order is
   not said. #}
{% macro set_of(x) -%}
    {{ adapter.dispatch('set_of', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__set_of(x) -%}
    array_agg(distinct {{ x }})
{%- endmacro %}

{# A list of distinct values takes twice the time of a list that is cleared of equal values, and to
   clear a list as long as to make it. So a list whose values are known to differ is left as it is:
   by their last six bits, each a bit of one number, there are as many bits as values. #}
{% macro duckdb__set_of(x) -%}
    case
        when bit_count(bit_or(cast(1 as ubigint) << ({{ x }} & 63))) = count({{ x }})
            then list({{ x }})
        else list_distinct(list({{ x }}))
    end
{%- endmacro %}


{# The values of a list, each in a row of its own; the rest of the row is repeated. #}
{% macro unnested(list) -%}
    {{ adapter.dispatch('unnested', 'seg_sql')(list) }}
{%- endmacro %}

{% macro default__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}


{# How many values are in a list. #}
{% macro list_size(list) -%}
    {{ adapter.dispatch('list_size', 'seg_sql')(list) }}
{%- endmacro %}

{% macro default__list_size(list) -%}
    cardinality({{ list }})
{%- endmacro %}

{# There cardinality is for maps. #}
{% macro duckdb__list_size(list) -%}
    len({{ list }})
{%- endmacro %}


{# A number for each row of a table, below 2^30 where it has no more rows; another at each run, so to
   tell rows apart and never to order by. #}
{% macro some_number() -%}
    {{ adapter.dispatch('some_number', 'seg_sql')() }}
{%- endmacro %}

{% macro default__some_number() -%}
    row_number() over ()
{%- endmacro %}

{# A window without an order is computed by one thread, and all that follows it. #}
{% macro duckdb__some_number() -%}
    rowid
{%- endmacro %}


{# A sieve of the numbers in a group, an aggregate: 1,024 places, of which each number from 0 on marks
   one. Two numbers may share a place. #}
{% macro sieve_of(x) -%}
    {{ adapter.dispatch('sieve_of', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__sieve_of(x) -%}
    bit_or(set_bit(cast(0 as bit(1024)), {{ x }} & 1023, 1))
{%- endmacro %}

{% macro duckdb__sieve_of(x) -%}
    bitstring_agg({{ x }} & 1023, 0, 1023)
{%- endmacro %}


{# The numbers of a list that are in a sieve, and those that share a place with one. #}
{% macro sifted(list, sieve) -%}
    {{ adapter.dispatch('sifted', 'seg_sql')(list, sieve) }}
{%- endmacro %}

{% macro default__sifted(list, sieve) -%}
    array(
        select number
        from unnest({{ list }}) as listed (number)
        where get_bit({{ sieve }}, number & 1023) = 1
    )
{%- endmacro %}

{% macro duckdb__sifted(list, sieve) -%}
    list_filter({{ list }}, lambda number: get_bit({{ sieve }}, number & 1023) = 1)
{%- endmacro %}
