-- The sample of Parquet files: whole blocks of lines spread over them, so that orders stay together.
-- The file's own row numbers let the reader skip all other lines.
select * exclude (file_row_number)
from read_parquet([{{ files | join(', ') }}], union_by_name = true, file_row_number = true)
where (file_row_number // {{ block }}) % {{ every }} = 0
