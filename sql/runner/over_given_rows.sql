{#- A model over the given rows of its unit test. No line is indented: a text may have lines. -#}
with
{%- for name, rows in ctes.items() %}

{{ name }} as (

{{ rows }}

){{ ',' if not loop.last }}
{%- endfor %}

select * from (

{{ model }}

) as tested
