"""The sales that the model learns from: `sales.csv`, made of the published table.

`python -m model.house_price.sales ames.csv` writes sales.csv again.
"""

import sys
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from model.contract.arrays import Float64Array, IntArray
from model.house_price.features import FIELDS, FRAME, NUMBERS, OPTIONAL

SALES = Path(__file__).with_name("sales.csv")

# The columns of the table that are added up, with their weights: a half bath counts half.
_SOURCES: dict[str, dict[str, float]] = {
    "beds": {"Bedroom_AbvGr": 1},
    "baths": {"Full_Bath": 1, "Bsmt_Full_Bath": 1, "Half_Bath": 0.5, "Bsmt_Half_Bath": 0.5},
    "sqft": {"Gr_Liv_Area": 1},
    "year_built": {"Year_Built": 1},
    "garage_cars": {"Garage_Cars": 1},
    "lot_area": {"Lot_Area": 1},
    "basement_sqft": {"Total_Bsmt_SF": 1},
    "fireplaces": {"Fireplaces": 1},
    "price": {"Sale_Price": 1},
    "year_sold": {"Year_Sold": 1},
    "month_sold": {"Mo_Sold": 1},
}
_CHOICES = {"neighborhood": "Neighborhood", "condition": "Overall_Cond"}
_COLUMNS = (*FIELDS, "price", "year_sold", "month_sold")


@dataclass(frozen=True)
class Sales:
    """Sales as listed in `sales.csv`, one row each.

    features [N, 10] are coded as on the card, price [N] is in dollars of the year of the
    sale, year_sold and month_sold are [N].
    """

    features: Float64Array
    price: Float64Array
    year_sold: IntArray
    month_sold: IntArray

    def __len__(self) -> int:
        return len(self.price)

    def head(self, rows: int) -> "Sales":
        """Return the first sales."""
        return Sales(*(column[:rows] for column in astuple(self)))


def read_sales(path: Path = SALES) -> Sales:
    """Read sales from a file like `sales.csv`.

    Raises:
        ValueError: a column is missing, a number is not one, or a choice is unknown.
    """
    # "None" and "NA" are values in this table, never missing ones.
    table = pd.read_csv(path, keep_default_na=False)
    if missing := [name for name in _COLUMNS if name not in table]:
        raise ValueError(f"{path}: no column {', '.join(missing)}")
    features = FRAME.read(table)
    if np.isnan(features).any():
        raise ValueError(f"{path}: a choice that is not on the card")
    return Sales(
        features=features,
        price=table["price"].to_numpy(dtype=float),
        year_sold=table["year_sold"].to_numpy(dtype=np.int64),
        month_sold=table["month_sold"].to_numpy(dtype=np.int64),
    )


@dataclass(frozen=True)
class ReportedSales:
    """What visitors reported of answers: features [M, 10], NaN where unknown, and price [M]."""

    features: Float64Array
    price: Float64Array

    def __len__(self) -> int:
        return len(self.price)


NO_REPORTED_SALES = ReportedSales(np.empty((0, len(FIELDS))), np.empty(0))


def read_reported_sales(path: Path) -> ReportedSales:
    """Read a file of ``feedback export --training``: facts that nobody gave are empty in it.

    Raises:
        ValueError: a column is missing, a number is not one, a choice is unknown, or a fact that
            every house has is empty.
    """
    cells = pd.read_csv(path, keep_default_na=False, dtype=str)
    if missing := [name for name in (*FIELDS, "price") if name not in cells]:
        raise ValueError(f"{path}: no column {', '.join(missing)}")
    table = pd.DataFrame({name: cells[name].str.strip() for name in (*FIELDS, "price")})
    given = (table[list(FIELDS)] != "").to_numpy()
    for name in (*NUMBERS, "price"):
        table[name] = pd.to_numeric(table[name])  # "" is NaN
    features = FRAME.read(table)
    if (np.isnan(features) & given).any():
        raise ValueError(f"{path}: a choice that is not on the card")
    required = [column for column, name in enumerate(FIELDS) if name not in OPTIONAL]
    if np.isnan(features[:, required]).any() or not (table["price"] > 0).all():
        raise ValueError(f"{path}: a row lacks {', '.join(FIELDS[: len(required)])} or a price")
    return ReportedSales(features, table["price"].to_numpy(dtype=float))


def write_sales(ames: Path, path: Path = SALES) -> None:
    """Write the columns that the model uses, from the published table `ames.csv`."""
    table = pd.read_csv(ames, keep_default_na=False)
    columns = {name: table[source] for name, source in _CHOICES.items()}
    for name, parts in _SOURCES.items():
        columns[name] = sum(table[source] * weight for source, weight in parts.items())
    pd.DataFrame(columns)[list(_COLUMNS)].to_csv(
        path, index=False, float_format="%g", lineterminator="\n"
    )


if __name__ == "__main__":
    write_sales(Path(sys.argv[1]))
