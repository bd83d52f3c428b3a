{# The rows of several groups, each beside what is given for its group. A FROM clause, no statement. #}
{{ relation }} as members
join (
    {{ listed | indent(4) }}
) as listed
    on listed.seg_key = {{ seg_sql.kmeans_group(columns) }}
