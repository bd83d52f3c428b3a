{#- A condition that keeps one currency, beside the conditions that are there already. -#}
{% for condition in conditions %}{{ condition }} and {% endfor %}{{ column }} = {{ currency }}
