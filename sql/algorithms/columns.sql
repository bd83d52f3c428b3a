-- Every column of the relation, to learn their names and types.
-- Never run: only described.
select * from {{ relation }}
