-- The rows of one source, from the finished model that is about to be published.
insert into {{ history }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }}
from (
{{ rows }}
) as new_rows
