"""What a file is that holds no pickle, by how it begins, in words for people."""

import zipfile
from pathlib import Path

from model.contract.pickles.byte_source import find_compression, open_source

_START = 4096
_LONGEST_TEXT = 2**20
_SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"%PDF": "a PDF file",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
    b"\x93NUMPY": "an array of NumPy",
    b"PAR1": "a Parquet table",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"(\xb5/\xfd": "a Zstandard archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"CBM1": "a CatBoost model",
    b"binf": "an XGBoost model",
    b"{L\0\0\0\0\0\0\0\x07learner": "an XGBoost model",
    b"RDX": "an R file",
    b"RDA": "an R file",
    b"X\n\0\0\0\2": "an R file",
    b"X\n\0\0\0\3": "an R file",
    b"MATLAB": "a MATLAB file",
    b"\xd0\xcf\x11\xe0": "a document of an old Office",
    b"OggS": "a sound",
    b"ID3": "a sound",
}
_PLACED = {
    (257, b"ustar"): "a tar archive",
    (4, b"TFL3"): "a TensorFlow Lite model",
    (4, b"ftyp"): "a video",
    (8, b"WEBP"): "a WebP picture",
    (8, b"WAVE"): "a sound",
    (8, b'{"'): "a safetensors file",
}
_TEXTS = {
    "version https://git-lfs": (
        "a pointer of Git LFS, not the file itself. Fetch the file: `git lfs pull`"
    ),
    "tree\nversion=": "a LightGBM model in its own text form",
    "svm_type ": "a LIBSVM model",
    "<!doctype html": "a web page",
    "<html": "a web page",
    "%!ps": "a PostScript file",
}
_WORDS = {
    '"learner"': "an XGBoost model in JSON",
    '"nbformat"': "a Jupyter notebook",
    '"float_features"': "a CatBoost model in JSON",
    '"oblivious_trees"': "a CatBoost model in JSON",
    '"ctr_data"': "a CatBoost model in JSON",
    "<pmml": "a model in PMML",
    "<svg": "an SVG picture",
}
_MEMBERS = {
    "data.pkl": "a PyTorch file",
    "schema.json": "a skops file",
    "model.ini": "an H2O model",
    "model.weights.h5": "a Keras model",
    "xl/workbook.xml": "an Excel workbook",
    "word/document.xml": "a Word document",
}
_FIRST_BYTES = frozenset(b"\x80(c]})lNIFSUTKMJGVX")
"""How a pickle may begin; since protocol 2 it is the first."""
_CONTROLS = frozenset(range(0x20)) - frozenset(b"\t\n\r\f") | {0x7F}


_ADVICE = {
    "a CatBoost model": "Add it with --python PATH, the Python of an environment that has "
    "CatBoost; or there: m = catboost.CatBoost().load_model('FILE'); m.save_model('model.onnx', "
    "format='onnx'). Then add model.onnx.",
    "a CatBoost model in JSON": "Add it with --python PATH, the Python of an environment that has "
    "CatBoost; or there: m = catboost.CatBoost().load_model('FILE', format='json'); m.save_model("
    "'model.onnx', format='onnx'). Then add model.onnx.",
    "a skops file": "Such files are read, but this one is damaged, or holds what is not known "
    "here. Where the model is: joblib.dump(model, 'model.joblib'). Then add model.joblib.",
    "a PyTorch file": "Weights say nothing of the network. In the script that has its class: "
    "torch.onnx.export(model, rows, 'model.onnx'). Then add model.onnx.",
    "a safetensors file": "Weights say nothing of the network. In the script that has its class: "
    "torch.onnx.export(model, rows, 'model.onnx'). Then add model.onnx.",
    "a TensorFlow Lite model": "Save the Keras model that it was made of: model.save('model.keras'"
    "). Then add model.keras.",
    "a model in PMML": "PMML is not read. Add the fitted Pipeline from which it was exported: "
    "joblib.dump(pipeline, 'model.joblib').",
    "an R file": "R's objects are not read. Save a booster in R by xgb.save(model, 'model.ubj') or "
    "lgb.save(model, 'model.txt'), and add that; fit any other model anew with scikit-learn.",
    "an H2O model": "H2O exports no ONNX. Fit the model with XGBoost, LightGBM or scikit-learn, "
    "and add that.",
    "a LIBSVM model": "Fit it with scikit-learn's SVC or SVR, which is LIBSVM, and save that.",
    **dict.fromkeys(
        ("a 7z archive", "a RAR archive", "a tar archive", "a ZIP archive", "a Zstandard archive"),
        "Unpack it, and name the model's file or folder that was in it.",
    ),
    "an array of NumPy": "Where the model is: joblib.dump(model, 'model.joblib'). Then add "
    "model.joblib.",
    "an archive of NumPy arrays": "Weights say nothing of the model. Where the model is: "
    "joblib.dump(model, 'model.joblib'). Then add model.joblib.",
    "Python code": "Add the fitted model that it makes or was made of: joblib.dump(model, "
    "'model.joblib'). Code that a model needs goes into --module FILE.py, with --trust.",
    "a file of an unknown kind": "Name the file of the fitted model. If another library wrote it, "
    "export it to ONNX there, or write a class around it with a method predict(self, rows), and "
    "add an object of that with --trust --module FILE.py.",
    "a Jupyter notebook": "Run it, and save the fitted model at its end: joblib.dump(model, "
    "'model.joblib').",
}
"""How a model gets out of a file that is not read, by what the file is."""


def read_short_text(path: Path) -> str | None:
    """Read a file of up to a megabyte of UTF-8; None where there is none, or it is no text."""
    try:
        if not path.is_file() or path.stat().st_size > _LONGEST_TEXT:  # a pipe would wait
            return None
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def advise_content(content: str) -> str:
    """Say what to do with a file that ``name_content`` named; "" where nothing is known."""
    return _ADVICE.get(content.partition(", compressed")[0], "")


def name_content(path: Path) -> str:
    """Say what a file is; "" where it may be a pickle, or cannot be read."""
    try:
        if not path.is_file():  # opening a named pipe waits for who writes to it
            return ""
        with path.open("rb") as file:
            start = file.read(_START)
        if start.startswith(b"PK\x03\x04"):
            return _name_archive(path)
        if path.suffix == ".py":
            return "Python code"
        if (name := _name_start(start)) or not find_compression(start):
            return name
        with open_source(path) as (source, _, compression):
            name = _name_start(source.peek()[:_START])
    except Exception:  # what decompressing raises depends on the file's bytes
        return ""
    return f"{name}, compressed with {compression}" if name else ""


def _name_start(start: bytes) -> str:
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            return name
    for (place, signature), name in _PLACED.items():
        if start[place:].startswith(signature):
            return name
    return _name_text(start)


def _name_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except Exception:  # what zipfile raises depends on the file's bytes
        return "a damaged ZIP archive"
    for member, name in _MEMBERS.items():
        if any(found == member or found.endswith("/" + member) for found in members):
            return name
    if members and all(member.endswith(".npy") for member in members):
        return "an archive of NumPy arrays"
    return "a ZIP archive"


def _name_text(start: bytes) -> str:
    """Say what text is; "" for what may be a pickle, which has instructions that are text."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16"
    if _CONTROLS & set(start):
        known = start[0] in _FIRST_BYTES or find_compression(start)
        return "" if known else "a file of an unknown kind"
    text = start.decode("utf-8-sig", "replace").lstrip()
    lower = text.lower()
    for beginning, name in _TEXTS.items():
        if lower.startswith(beginning):
            return name
    for word, name in _WORDS.items():
        if text[:1] in "{<" and word in lower:
            return name
    if text.startswith("<"):
        return "an XML file"
    if text[:2] in ('{"', "{\n", "[\n", "[{", "{}", "[]", "[[") or text.startswith(("{ ", "{\r")):
        return "JSON"
    lines = text.splitlines()
    if len(start) == _START:
        lines.pop()  # it is cut
    for separator, name in ((",", "commas"), (";", "semicolons"), ("\t", "tabs")):
        counts = {line.count(separator) for line in lines[:20]}
        if len(counts) == 1 and 0 not in counts and len(lines) > 1:
            return f"a table of text with {name}"
    return "text" if " " in text or len(lines) == 1 else ""
