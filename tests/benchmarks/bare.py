"""The floor: a Flask app with one route that answers a constant."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/")
def bare() -> str:
    """Answer a constant."""
    return "ok"
