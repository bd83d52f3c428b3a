select count(*) as failures
from (
{{ test }}
) as failing_rows
