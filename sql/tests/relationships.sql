-- Values that the other relation does not have; NULL points nowhere.
select tested.{{ column_name }}
from {{ model }} as tested
left join {{ to }} as other on other.{{ field }} = tested.{{ column_name }}
where tested.{{ column_name }} is not null and other.{{ field }} is null
