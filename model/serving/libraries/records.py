"""Which reader knows an object of a pickle, by its library and class."""

from collections.abc import Callable

from model.contract.pickles import Record
from model.serving.libraries.lightgbm_models import read_lightgbm_pickle
from model.serving.libraries.statsmodels_results import read_statsmodels
from model.serving.libraries.xgboost_models import read_xgboost_pickle

ReadRecord = Callable[[Record], Record]

_READERS: dict[str, ReadRecord] = {
    "lightgbm.Booster": read_lightgbm_pickle,
    "lightgbm.LGBMClassifier": read_lightgbm_pickle,
    "lightgbm.LGBMRanker": read_lightgbm_pickle,
    "lightgbm.LGBMRegressor": read_lightgbm_pickle,
    "xgboost.Booster": read_xgboost_pickle,
    "xgboost.XGBClassifier": read_xgboost_pickle,
    "xgboost.XGBRFClassifier": read_xgboost_pickle,
    "xgboost.XGBRFRegressor": read_xgboost_pickle,
    "xgboost.XGBRanker": read_xgboost_pickle,
    "xgboost.XGBRegressor": read_xgboost_pickle,
}
"""By library and class: the modules between them change from release to release."""


def find_reader(record: Record) -> ReadRecord | None:
    """Find what makes a record of classes that are known here; None for any other class."""
    library = record.path.partition(".")[0]
    if library == "statsmodels" and record.name.endswith(("Results", "ResultsWrapper")):
        return read_statsmodels
    return _READERS.get(f"{library}.{record.name}")
