{# The label of a row's cluster by its id, as it is published. An expression, no statement. #}
case cluster_id
    {%- for id in ids[:-1] %} when {{ id }} then {{ labels[loop.index0] }}{% endfor %}
    {{- ' else ' ~ labels[-1] }}
end
