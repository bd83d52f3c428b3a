{#- The schema in which a name without one is looked for. -#}
select current_schema() as schema
