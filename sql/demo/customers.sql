-- The shop's table of customers: everyone who has an account, which guests have not.
-- An account is opened up to two weeks before the first order, most of them on the same days.
create or replace temp view customers as

select
    customer_id,
    [
        'Ada', 'Ben', 'Chloe', 'Daan', 'Elena', 'Felix', 'Greta', 'Hugo', 'Ines', 'Jonas',
        'Karin', 'Liam', 'Maeve', 'Nils', 'Olivia', 'Pablo', 'Quinn', 'Rosa', 'Sven', 'Tessa'
    ][cast(ceil(20e0 * uniform('first name', buyer)) as integer)]
    || ' '
    || [
        'Adler', 'Bakker', 'Carter', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Hughes', 'Jansen',
        'Keller', 'Lindgren', 'Moreau', 'Novak', 'Olsen', 'Perez', 'Quirke', 'Roux', 'Schmidt',
        'Taylor', 'Visser'
    ][cast(ceil(20e0 * uniform('last name', buyer)) as integer)] as name,
    country,
    first_day - cast(floor(14e0 * pow(uniform('account', buyer), 3)) as integer) as signed_up
from buyers
where not is_guest
order by buyer
