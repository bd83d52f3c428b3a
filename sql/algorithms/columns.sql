-- Every column of the relation, whatever they are: to learn their names and types, or to be read.
select * from {{ relation }}
