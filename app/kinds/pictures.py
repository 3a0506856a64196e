"""The adapter for a model that answers a picture with one of several classes."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

from flask import request
from PIL import Image
from pydantic_core import PydanticCustomError

from app.feedback.outcomes import KeptAnswer
from app.http.problems import Fault
from app.kinds.adapter import OPTION, JsonRows, KindAdapter, KindSchemas, Payload, Schema
from app.kinds.batches import Batch, BatchLimits, PictureBatch
from app.kinds.files import OpenFile, PictureFiles, SourceFile
from app.kinds.picture_api import (
    build_picture_schemas,
    build_tool_schema,
    describe_picture_api,
    read_files,
)
from app.kinds.truths import ask_class
from app.limits.background import run_in_thread
from app.limits.upload_budget import UploadSlot, decoding_turn, get_upload_budget
from app.limits.uploads import Upload, read_uploads
from app.presentation.about import describe_origin
from app.presentation.contexts import ApiTexts, BatchWords, KindAbout, Link, Row, SampleLink, Site
from app.presentation.form import FormView, build_field, hash_form
from app.presentation.map_words import describe_map
from app.presentation.pictures import (
    KEPT_URL,
    PictureView,
    encode_data_url,
    fit_picture,
    hash_data_url,
    lay_out_cells,
)
from app.presentation.plots import plot_reliability
from app.presentation.reports import PICTURE
from app.presentation.result import (
    ClassView,
    Result,
    describe_hidden,
    describe_unsure,
    measure_size,
    present_classes,
    refuse,
    write_notes,
)
from app.presentation.scales import ShareScale
from app.presentation.submission import CORRELATION_ID, FORM_HASH, Problem, Submission
from model import Picture
from model.contract import formatting
from model.contract.fields import AnyField
from model.contract.pictures import LARGE_BYTES, MEGABYTES
from model.contract.tables import ReadOptions, TableError
from model.monitoring.cases import CaseFile
from model.serving.kinds.pictures import PictureModel
from model.serving.served_model import ClassPrediction, Explained, ServedModel

SAMPLE = "sample"
"""The name under which the address gives the number of a sample."""

EXPLAIN = "_explain"
"""The name under which a button asks for the map as well."""

_THUMBNAIL = 120
"""Pixels of the longer side of a sample's small picture."""


class PictureAdapter(KindAdapter[Picture, ClassPrediction]):
    """Reads uploads for one model, within the limits of memory and time, and writes its answers."""

    styles = ("image.css",)
    scripts = ("image.js",)
    personal = "picture"

    def __init__(self, model: PictureModel) -> None:
        # Pages and API refuse the pictures for which there is no prediction.
        super().__init__(cast(ServedModel[Picture, ClassPrediction], model))
        card = model.card
        self._pictures = model
        self.warning = f"{card.output.warning}." if card.output.warning else ""
        self.refusal = Problem(card.field.name, card.output.refusal_text)
        self.too_large = Problem(
            card.field.name, f"{card.field.label} must be {MEGABYTES} MB or less"
        )
        self.samples = Link(card.samples.text, card.samples.url) if card.samples else None
        self._samples = tuple(
            (item.label, (model.folder / item.file).read_bytes()) for item in model.manifest.samples
        )
        self._truths = tuple(item.truth for item in model.manifest.samples)
        self.thumbnails = tuple(_shrink(content) for _, content in self._samples)
        self._field = card.field
        self.names = (card.field.name,)
        self.form_hash = hash_form(card.fields, card.output, card.locale)
        self._output = card.output
        self._labels = {item.value: item.label for item in card.output.classes}
        self._calibration = model.manifest.probabilities
        self._scale = ShareScale(card.output, card.locale, self._calibration)
        self._notes = write_notes(describe_origin(card, model.manifest), model.manifest.accuracy)

    def read_form(self, environ: WSGIEnvironment) -> Submission[Picture]:
        return self._read(partial(read_uploads, self._field.name))

    def read_query(self) -> Submission[Picture] | None:
        number = request.args.get(SAMPLE, "")
        return self._read_sample(number, bool(request.args.get(EXPLAIN)))

    def _read_sample(self, number: str, explain: bool) -> Submission[Picture] | None:
        """Read one of the samples by its number, from 1; None where there is none."""
        numbers = [str(place + 1) for place in range(len(self._samples))]
        if number not in numbers:
            return None
        _, content = self._samples[numbers.index(number)]
        submission = run_in_thread(self.decode, [content])
        return submission._replace(
            query=f"{SAMPLE}={number}", contributions=self._explains(explain)
        )

    def build_site(self, prefix: str, embedded: bool = False) -> Site:
        site = super().build_site(prefix, embedded)
        return site._replace(
            pictures=tuple(
                SampleLink(
                    label,
                    f"{site.action}?{SAMPLE}={number}",
                    f"{site.home}samples/{number}.jpg",
                )
                for number, (label, _) in enumerate(self._samples, start=1)
            )
        )

    def _explains(self, asked: bool) -> bool:
        """Whether an answer comes with its map, which only some networks give at no cost."""
        return asked or self._pictures.gives_map == "at once"

    def _read(self, read_files: Callable[[UploadSlot], Upload]) -> Submission[Picture]:
        """Read and decode the present request's upload.

        Waits for memory to read it into and, where it is large, for its turn to be decoded.
        """
        with get_upload_budget().slot() as slot:
            files, fields, _ = read_files(slot)
            if run_in_thread(self._estimate_memory, files) < LARGE_BYTES:
                submission = run_in_thread(self.decode, files)
            else:
                with decoding_turn(slot):
                    submission = run_in_thread(self.decode, files)
        explain = bool(fields.get(EXPLAIN))
        if not files:
            submission = self._read_sample(fields.get(SAMPLE, ""), explain) or submission
        return submission._replace(
            form_hash=fields.get(FORM_HASH, ""),
            correlation_id=fields.get(CORRELATION_ID, ""),
            contributions=self._explains(explain),
        )

    def _estimate_memory(self, files: Sequence[bytes]) -> int:
        """Estimate the bytes that decoding takes; 0 where ``decode`` refuses the upload."""
        return self._field.estimate_memory(files[0]) if len(files) == 1 else 0

    def decode(self, files: Sequence[bytes]) -> Submission[Picture]:
        """Decode the one file of an upload."""
        name = self._field.name
        if len(files) > 1:
            return Submission({}, None, {name: self._field.repeated_text}, ())
        try:
            picture = self._field.validate_value(files[0] if files else None)
        except PydanticCustomError as error:
            return Submission({}, None, {name: error.message()}, () if files else (name,))
        return Submission({}, picture, {}, ())

    def build_form(self, submission: Submission[Picture] | None) -> FormView:
        costs = self._pictures.gives_map == "on request"
        words = f"Show the {self.answer_noun} and where it looked" if costs else ""
        return FormView((build_field(self._field, submission),), upload=True, explain=words)

    def takes_long(self, rows: int, contributions: bool) -> bool:
        return True

    def present(
        self,
        submission: Submission[Picture] | None,
        explained: Explained[ClassPrediction] | None,
    ) -> Result:
        output = self._output
        if submission is None or submission.missing:
            sentence = f"The {output.noun} appears here."
            return Result(
                "empty" if submission is None else "withdrawn",
                output.label,
                self._field.missing_text,
                announcement=""
                if submission is None
                else f"{self._field.missing_text}. {sentence}",
                sentence=sentence,
            )
        if submission.row is None or explained is None or explained.prediction is None:
            return refuse(submission, output.label, f"No {output.noun}")
        prediction = explained.prediction
        label, share = self._labels[prediction.label], prediction.probability
        sure = "" if share is None else self._scale.describe_sureness(share, "picture")
        said = label if share is None else f"{label}, {self._scale.format(share)}"
        announcement = f"{output.label}: {formatting.end_sentence(said)} {self.warning}"
        preprocessing = self._pictures.preprocessing
        squashed = preprocessing.resize == "squash"
        width, height = fit_picture(
            *(submission.row.width, submission.row.height)
            if squashed
            else (preprocessing.width, preprocessing.height)
        )
        url = encode_data_url(preprocessing.fit(submission.row.image))
        heat, sample = explained.saliency, submission.query.removeprefix(f"{SAMPLE}=")
        place = "" if heat is None else describe_map(heat, self._labels[explained.saliency_label])
        return Result(
            "fresh",
            output.label,
            announcement=announcement.strip(),
            value=prediction.label,
            text=label,
            size=measure_size(label),
            certainty=f"{formatting.capitalize(sure)}." if sure else describe_unsure(output.noun),
            detail=PictureView(
                self._present_classes(prediction),
                url,
                width,
                height,
                f"Your {self._field.noun}, as the model saw it",
                () if heat is None else lay_out_cells(heat, width, height),
                f"{place} {output.map_text}".strip(),
                self._describe_rest(prediction),
                sample,
                self._truths[int(sample) - 1] if sample else "",
                url if len(url) <= KEPT_URL else "",
            ),
            notes=self._notes,
            title=f"{label}, {sure}" if sure else label,
            query=submission.query,
        )

    def _present_classes(self, prediction: ClassPrediction) -> tuple[ClassView, ...]:
        """The classes with their probabilities: two in the card's order, more by probability."""
        classes = self._output.classes
        if prediction.probabilities is None:
            return ()
        order = classes if len(classes) == 2 else ()
        return present_classes(classes, prediction.probabilities, self._scale.format, order)

    def _describe_rest(self, prediction: ClassPrediction) -> str:
        """What stands below the bars: the classes that are not shown, and the card's own words."""
        probabilities, locale = prediction.probabilities or (), self.model.card.locale
        rest = describe_hidden(probabilities, self._scale.format, locale)
        return f"{rest} {self._output.share_text}".strip()

    def make_truth_field(self) -> AnyField:
        return ask_class(self._output)

    def summarize_answer(self, explained: Explained[ClassPrediction]) -> KeptAnswer:
        prediction = explained.prediction
        return KeptAnswer(prediction.label, probability=prediction.probability)

    def spell_facts(self, submission: Submission[Picture], shown: Result) -> str:
        """The number of a sample, and what tells the picture from all others."""
        facts = super().spell_facts(submission, shown)
        kept = "" if shown.detail is None else cast(PictureView, shown.detail).kept
        return f"{facts}&{PICTURE}={hash_data_url(kept)}" if kept else facts

    def read_json(self, environ: WSGIEnvironment) -> JsonRows[Picture]:
        return self._list_rows(self._read(partial(read_files, self._field.name)))

    def _list_rows(self, submission: Submission[Picture]) -> JsonRows[Picture]:
        return JsonRows(
            () if submission.row is None else (submission.row,),
            [Fault(self._field.name, text, None) for text in submission.errors.values()],
            single=True,
            detail="There is no answer to this picture.",
            refused=submission.invalid,
        )

    @property
    def batch_words(self) -> BatchWords:
        noun = self._field.noun
        return BatchWords(
            "Many pictures at once",
            f"A ZIP of {noun} files. You get a table with the {self._output.noun} for each.",
            "Your ZIP",
            f"Choose it or drop it here. Each picture is {self._field.accepted_text}.",
            "Choose a ZIP",
            "A summary appears here: how many pictures got each answer, and which to fix.",
            ".zip",
        )

    @property
    def batch_headings(self) -> Mapping[str, str]:
        sure = {"probability": "Probability"} if self._output.probabilities else {}
        return {"label": self._output.label, **sure}

    def open_batch(self, content: bytes, name: str, limits: BatchLimits) -> Batch:
        return PictureBatch(self._pictures, content, name, limits)

    def open_file(self, source: SourceFile, options: ReadOptions, warnings: bool) -> OpenFile:
        return PictureFiles(self._pictures, source)

    def read_labelled(self, data: Path, target: str) -> tuple[CaseFile, str]:
        if not data.is_dir():
            raise TableError(
                f"{self.model.slug} takes pictures, and a table has none. Name a folder with a "
                "folder of pictures for each class."
            )
        # What only the making of models needs is not there where models are only served.
        from model.making.pictures.cases import read_picture_cases

        return read_picture_cases(self._pictures, data)

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        label = values["label"]
        if name == "label":
            return self._labels[label]
        return self._scale.format(values[f"probability_{label}"])

    def tool_schema(self) -> Schema:
        return build_tool_schema(self._field)

    def read_arguments(self, arguments: Mapping[str, Any]) -> JsonRows[Picture]:
        name = self._field.name
        others = [key for key in arguments if key != name]
        if others:
            text = f"There is no such field; the picture is {name}"
            return JsonRows((), [Fault(None, text, None)], single=True)
        try:
            # A picture is often written as a data URL.
            data = b64decode(str(arguments.get(name) or "").rpartition(",")[2], validate=True)
        except ValueError:
            return JsonRows((), [Fault(name, "Send the picture in base64", None)], single=True)
        return self._list_rows(self._read(lambda _: Upload([data] if data else [])))

    def _serialize_prediction(self, explained: Explained[ClassPrediction]) -> Payload:
        """The contributions are the map of one class, in log-odds: of two, the last."""
        label, probability, probabilities, _ = explained.prediction
        if probabilities is None:
            return {"label": label}
        payload: Payload = {
            "label": label,
            "probability": probability,
            "probabilities": dict(zip(self._labels, probabilities, strict=True)),
        }
        if explained.saliency is not None:
            payload[OPTION] = {
                "label": explained.saliency_label,
                "map": explained.saliency.tolist(),
            }
        return payload

    def _list_warnings(self, explained: Explained[ClassPrediction]) -> Sequence[Payload]:
        return ({"code": "use", "message": self.warning},) if self.warning else ()

    def schemas(self) -> KindSchemas:
        return build_picture_schemas(self._field, self._output)

    def api_texts(self) -> ApiTexts:
        return describe_picture_api(self._field, self._output)

    def about(self) -> KindAbout:
        method, calibration = "", self._calibration
        if calibration is not None and calibration.rows is not None:
            locale = self.model.card.locale
            most = formatting.format_percent(calibration.most, locale, digits=2)
            cases = formatting.format_number(calibration.rows, locale)
            counted = (
                "of the pictures for which it was surest some may have been wrong"
                if self._pictures.manifest.reliability
                else "how often the surest answers were right was not counted"
            )
            method = (
                f"No probability is shown above {most}: {cases} cases cannot show that an answer "
                f"is more certain, and {counted}."
            )
        bins = self._pictures.manifest.reliability
        return KindAbout(
            f"{self.warning} {self.model.manifest.accuracy}".strip(),
            (
                Row(self._field.label, self._field.accepted_text),
                Row("What the model sees", self._pictures.preprocessing.describe()),
            ),
            method,
            "What the probabilities mean",
            plots=(plot_reliability(bins),) if bins else (),
        )


def _shrink(content: bytes) -> bytes:
    """A small JPEG of a sample."""
    with Image.open(BytesIO(content)) as image:
        image.thumbnail((_THUMBNAIL, _THUMBNAIL))
        file = BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=75)
    return file.getvalue()
