"""The JSON answer to a picture."""

from app.kinds.payload import OPTION, Payload, identify_model
from model import ImageClassification, ImageClassifier


class PictureSerializer:
    """Writes one model's answers to pictures as JSON."""

    def __init__(self, model: ImageClassifier) -> None:
        output = model.card.output
        self._model = identify_model(model)
        self._classes = [item.value for item in output.classes]
        self._warnings = [{"code": "use", "message": f"{output.warning}."}]

    def serialize(self, classification: ImageClassification, with_map: bool) -> Payload:
        """Serialize one answer; the map is that of the last class, in log-odds."""
        probabilities = dict(zip(self._classes, classification.probabilities, strict=True))
        payload: Payload = {
            "label": classification.value,
            "probability": probabilities[classification.value],
            "probabilities": probabilities,
        }
        if with_map:
            payload[OPTION] = {"label": self._classes[-1], "map": classification.heat.tolist()}
        payload["warnings"] = self._warnings
        payload["model"] = self._model
        return payload
