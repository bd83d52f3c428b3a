-- Items that people buy together: an order with an affinity takes most of the items named for it.
-- Twelve groups of two or three, each within one colour; no item is in two of them.
create or replace temp table affinities as

select
    listed.affinity,
    items.item_number,
    items.sku,
    items.name
from (
    values
        (1, 'Ceramic Teapot White'), (1, 'Ceramic Cup White'), (1, 'Ceramic Saucer White'),
        (2, 'Glass Carafe Natural'), (2, 'Glass Tumbler Natural'),
        (3, 'Linen Tablecloth Grey'), (3, 'Linen Napkin Grey'),
        (4, 'Mixing Bowl Yellow'), (4, 'Silicone Whisk Yellow'), (4, 'Baking Tray Yellow'),
        (5, 'Storage Jar Green'), (5, 'Spice Tin Green'),
        (6, 'Scented Candle Red'), (6, 'Candle Holder Red'),
        (7, 'Bath Towel Blue'), (7, 'Soap Dish Blue'),
        (8, 'Garden Trowel Green'), (8, 'Garden Gloves Green'), (8, 'Plant Pot Green'),
        (9, 'Picnic Basket Natural'), (9, 'Picnic Blanket Natural'),
        (10, 'Fountain Pen Black'), (10, 'Ink Bottle Black'), (10, 'Notebook Black'),
        (11, 'Gift Wrap Pink'), (11, 'Ribbon Reel Pink'),
        (12, 'Chopping Board Grey'), (12, 'Paring Knife Grey')
) as listed (affinity, name)
inner join items
    on items.name = listed.name
order by listed.affinity, items.item_number
