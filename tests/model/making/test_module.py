"""Code that a model needs beside its file is copied, hashed, named, and checked before it runs."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from model import ModelError, load_model
from model.making.assembly.contents import Contents
from model.making.errors import AddError
from model.making.sources.pickles import load_file
from tests.model.making.conftest import add, run
from tests.models import ModelFiles

CODE = '''
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


def double(rows):
    return rows * 2


class Sums(TransformerMixin, BaseEstimator):
    """Adds the sum of a row."""

    def fit(self, rows, target=None):
        self.n_features_in_ = rows.shape[1]
        return self

    def transform(self, rows):
        rows = rows.assign(both=rows.sum(axis=1))
        return rows.to_numpy()


def make():
    return make_pipeline(Sums(), FunctionTransformer(double), LinearRegression())
'''


PLAIN = """
class Plain:
    def __init__(self, line):
        self.line = line

    def predict(self, rows):
        return self.line.predict(rows) + 1
"""


def test_a_class_that_only_predicts_is_added(tmp_path: Path, root: Path) -> None:
    """It has nothing of scikit-learn's, which asks what does for tags."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (200, 2)).round(1), columns=["size", "age"])
    table["price"] = table["size"] * 3 - table["age"]
    module = ModuleType("plain_model")
    exec(PLAIN, vars(module))  # noqa: S102  the text above
    line = LinearRegression().fit(table[["size", "age"]].to_numpy(), table["price"])
    sys.modules["plain_model"] = module
    try:
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(module.Plain(line)))
    finally:
        del sys.modules["plain_model"]
    (tmp_path / "plain_model.py").write_text(PLAIN)
    table.assign(id=range(200)).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.pkl", tmp_path / "train.csv", "price")
    code = ("--trust", "--module", tmp_path / "plain_model.py")
    assert "--features a,b,c" in add(given, "plain", root, *code).output
    result = add(given, "plain", root, *code, "--features", "size,age")
    assert result.exit_code == 0, result.output


ENCODER = """
class Levels:
    def __init__(self, levels):
        self.levels = levels
        self.n_features_in_ = 1

    def transform(self, rows):
        return rows.replace(self.levels)
"""


def test_an_encoder_that_cannot_be_read_is_named_where_it_may_be_what_lacks(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.uniform(20, 99, 300), "city": rng.choice([*"abcdefgh"], 300)})
    levels = dict(zip("abcdefgh", [9, 1, 7, 3, 8, 2, 6, 5], strict=True))
    coded = table.assign(city=table["city"].map(levels))
    table["rent"] = coded["size"] + 30 * coded["city"]
    forest = RandomForestRegressor(10, random_state=0).fit(coded, table["rent"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(forest))
    module = ModuleType("own_encoders")
    exec(ENCODER, vars(module))  # noqa: S102  the text above
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "own_encoders", module)
        (tmp_path / "encoder.pkl").write_bytes(pickle.dumps(module.Levels(levels)))
    table.to_csv(tmp_path / "train.csv", index=False)
    result = run(
        "add", tmp_path / "model.pkl", tmp_path / "encoder.pkl", "--name", "mine",
        "--data", tmp_path / "train.csv", "--target", "rent", "--models", root,
    )  # fmt: skip
    assert result.exit_code == 4
    assert "encoder.pkl needs what is not known here: own_encoders.Levels." in result.output
    assert "add --trust to the command" in result.output


def give(folder: Path, where: str) -> tuple[ModelFiles, Path]:
    """A model whose classes a module of this name had, its data, and the file of the module."""
    before = dict(sys.modules)
    names: dict[str, object] = {"__name__": where}
    # a notebook's names are found in __main__, others in a module that is not installed here
    module = sys.modules["__main__"] if where == "__main__" else ModuleType(where)
    try:
        for end in range(1, where.count(".") + 2):
            sys.modules[".".join(where.split(".")[:end])] = module
        exec(CODE, names)  # noqa: S102  the text above
        vars(module).update({name: names[name] for name in ("Sums", "double")})
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.uniform(0, 100, (200, 2)).round(1), columns=["size", "age"])
        table["price"] = table["size"] * 3 - table["age"]
        make = names["make"]
        assert callable(make)
        fitted = make().fit(table[["size", "age"]], table["price"])
        (folder / "model.pkl").write_bytes(pickle.dumps(fitted))
    finally:
        for name in ("Sums", "double"):
            delattr(module, name)
        for name in set(sys.modules) - set(before):
            if sys.modules[name] is module:
                del sys.modules[name]
    table.to_csv(folder / "train.csv", index=False)
    code = folder / "my steps.py"
    code.write_text(CODE)
    return ModelFiles(folder / "model.pkl", folder / "train.csv", "price"), code


def forget_code() -> None:
    """Make the next import of added code the first one, as in a new process."""
    for name in [name for name in sys.modules if name.startswith("formcast_")]:
        del sys.modules[name]


@pytest.mark.parametrize("where", ["__main__", "sums", "project.steps.sums", "json.sums"])
def test_code_of_a_notebook_or_a_module_is_copied_and_found(tmp_path: Path, where: str) -> None:
    given, code = give(tmp_path, where)
    result = add(given, "mine", tmp_path, "--trust", "--module", code)
    assert result.exit_code == 0, result.output
    copy = tmp_path / "mine" / code.name
    assert copy.read_text() == CODE
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text())
    assert manifest["module"] == code.name
    assert manifest["artifacts"][code.name]["bytes"] == len(CODE)
    code.unlink()
    forget_code()
    (answer,) = load_model(tmp_path / "mine").predict([{"size": 10, "age": 4}])
    assert answer.value == pytest.approx(26)
    listed = run("list", "--models", tmp_path).output
    assert "(runs the code in model.joblib and my steps.py)" in listed


def test_changed_code_stops_the_start_before_it_runs(tmp_path: Path) -> None:
    given, code = give(tmp_path, "__main__")
    add(given, "mine", tmp_path, "--trust", "--module", code)
    copy = tmp_path / "mine" / code.name
    mark = tmp_path / "ran"
    forget_code()
    copy.write_text(f"open({str(mark)!r}, 'w')\n" + CODE)
    with pytest.raises(ModelError, match=r"my steps\.py is not the file that was trained"):
        load_model(tmp_path / "mine")
    copy.unlink()
    with pytest.raises(ModelError, match=r"my steps\.py is missing"):
        load_model(tmp_path / "mine")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (CODE, ["--module"], "--module runs the code in"),
        (CODE, [], "Name the Python file with this code by --module FILE.py."),
        (CODE, ["--trust"], "name it by --module"),
        ("x = 1", ["--trust", "--module"], "name it by --module"),
        ("import nowhere_to_find", ["--trust", "--module"], "'nowhere_to_find', which is not"),
        ("raise SystemExit('\\x1b[31mbye')", ["--trust", "--module"], "SystemExit: ?[31mbye."),
        ("def (", ["--trust", "--module"], "does not run: SyntaxError"),
        ("a\0b", ["--trust", "--module"], "does not run: SyntaxError"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, text: str, options: list[str], said: str) -> None:
    given, code = give(tmp_path, "__main__")
    code.write_text(text)
    words = [*options, code] if "--module" in options else options
    result = add(given, "mine", tmp_path, *words)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "mine").exists()
    assert "Sums" not in vars(sys.modules["__main__"])


@pytest.mark.parametrize(
    "name", ["sklearn.compose._column_transformer\nGoneSinceThen", "_loss\nCyHalfSquaredError"]
)
def test_a_file_of_another_release_with_code_of_its_own_says_what_helps(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(f"c{name}\n.".encode())
    with pytest.raises(AddError, match=r"was saved by scikit-learn 1\.6\.1, and .* is installed"):
        load_file(path, {"1.6.1"})
    with pytest.raises(AddError, match="by --module"):
        load_file(path, {sklearn.__version__})


def test_a_file_of_another_release_that_loads_is_doubted_all_the_same(tmp_path: Path) -> None:
    contents = Contents()
    contents.trust(None, {sklearn.__version__})
    assert contents.other_release == ""
    contents.trust(None, {"1.2.2"})
    assert contents.other_release == "1.2.2"
