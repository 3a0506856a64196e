"""Exports a CatBoost model, or lets it answer rows: run by the Python of an environment with it.

    python -I ask_catboost.py MODEL export OUT.onnx OUT.json
    python -I ask_catboost.py MODEL answer ROWS.npy OUT.npy

It imports nothing of Formcast, which is not there.
"""

import json
import sys

import catboost
import numpy as np

_EXPONENTS = ("Poisson", "Tweedie")
"""Losses of which a model answers the exponent of what its trees give."""


def main() -> None:
    """Do what the arguments say."""
    path, task, given, out = sys.argv[1:]
    model = catboost.CatBoost()
    with open(path, "rb") as file:
        model.load_model(path, format="cbm" if file.read(4) == b"CBM1" else "json")
    classes = [str(item) for item in getattr(model, "classes_", ())]
    exponent = str(model.get_all_params().get("loss_function", "")).startswith(_EXPONENTS)
    if task == "export":
        model.save_model(given, format="onnx")
        with open(out, "w", encoding="utf-8") as file:
            json.dump({"names": model.feature_names_, "exponent": exponent}, file)
        return
    kind = "Probability" if classes else "Exponent" if exponent else "RawFormulaVal"
    np.save(out, np.asarray(model.predict(np.load(given), prediction_type=kind), dtype=float))


if __name__ == "__main__":
    main()
