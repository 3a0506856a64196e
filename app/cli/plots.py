"""Writes the plots of a model's ``/about`` into its folder, as SVG files that its report shows."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.config import ROOT
from app.kinds import make_adapter
from model import load_model


def write_plots(folder: Path) -> None:
    """Write a file for each plot of the model in a folder, and show them in its report.

    Raises:
        ModelError: if the model is not sound.
    """
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("presentation/plot.svg")
    shown = []
    for plot in make_adapter(load_model(folder)).about().plots:
        path = folder / f"{plot.name}.svg"
        path.write_text(template.render(plot=plot) + "\n", encoding="utf-8")
        shown.append(f"### {plot.title}\n\n![{plot.title}]({path.name})\n\n{plot.words}\n")
    report = folder / "REPORT.md"
    if shown and report.is_file():
        text = report.read_text(encoding="utf-8")
        report.write_text("\n".join([text, "## What held-out rows showed\n", *shown]), "utf-8")
