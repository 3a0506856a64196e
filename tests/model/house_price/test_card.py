"""The card of the house price accepts every sale that the model was trained on."""

import csv

from model import NumberModel


def test_every_sale_is_valid_with_all_its_features_and_with_three(house: NumberModel) -> None:
    with (house.folder / house.manifest.data.file).open(newline="", encoding="utf-8") as file:
        sales = list(csv.DictReader(file))
    assert len(sales) == house.manifest.data.rows
    for sale in sales:
        for names in (house.card.names, ("beds", "baths", "sqft")):
            features, errors = house.card.validate_row({name: sale[name] for name in names})
            assert not errors, sale
            assert features is not None
