"""Lets a model answer pictures whose classes are known, to hold it against another one."""

from pathlib import Path

from model.contract.tables import TableError
from model.making.errors import AddError
from model.making.pictures.labelled import read_labelled
from model.monitoring.cases import Case, CaseFile
from model.serving.kinds.pictures import PictureModel


def read_picture_cases(model: PictureModel, data: Path) -> tuple[CaseFile, str]:
    """Answer the pictures in a folder that has a folder for each class.

    Returns:
        What the model answers, and the hash of the set as manifests have it.

    Raises:
        TableError: if there are no such pictures; the message is for people.
    """
    try:
        labelled = read_labelled(data, "")
    except AddError as error:
        raise TableError(str(error)) from error
    values = [option.value for option in model.card.output.classes]
    if not set(values).intersection(labelled.classes):
        raise TableError(
            f"{data} has a folder for {', '.join(labelled.classes)}; {model.slug} answers "
            f"{', '.join(values)}."
        )
    rows = range(len(labelled))
    found = CaseFile(rows=len(labelled), left_out={row + 1: "no answer" for row in rows})
    field = model.card.field
    for place, picture in labelled.read(rows, field.side, field.transparency):
        (prediction,) = model.predict([picture])
        if prediction is None:
            continue
        del found.left_out[place + 1]
        truth = labelled.classes[labelled.labels[place]]
        of_truth = None
        if prediction.probabilities is not None:
            shares = dict(zip(values, prediction.probabilities, strict=True))
            of_truth = shares.get(truth, 0.0)
        found.cases.append(
            Case(
                str(labelled.files[place]), {}, prediction.label, None, None,
                prediction.probability, truth, truth_probability=of_truth,
            )
        )  # fmt: skip
    return found, labelled.hash_files()
