"""Says in words which facts make a row unlike all training rows."""

from model.contract.card import Card
from model.serving.served_model import Mismatch


def describe_mismatch(card: Card, mismatch: Mismatch | None) -> str:
    """Say which facts make a row out-of-distribution; "" where none stands out."""
    if mismatch is None or not mismatch.facts:
        return ""
    facts, alone = mismatch
    texts = [card.by_name[name].format_fact(value) for name, value in facts.items()]
    if alone:
        return f"Hardly any case in the data has {texts[0]}."
    if len(texts) == 1:
        return f"The other facts do not go with {texts[0]}."
    text = f"{' and '.join(texts)} do not go together."
    return text[0].upper() + text[1:]
