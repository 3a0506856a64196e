"""Says in words what makes a row unlike all training rows."""

from model.contract import formatting
from model.contract.card import Card
from model.serving.served_model import Mismatch
from model.serving.texts.vectorizer import Knowledge


def describe_mismatch(card: Card, mismatch: Mismatch | None) -> str:
    """Say which facts make a row out-of-distribution; "" where none stands out."""
    if mismatch is None or not mismatch.facts:
        return ""
    facts, alone = mismatch
    texts = [card.by_name[name].format_fact(value) for name, value in facts.items()]
    if alone:
        return formatting.end_sentence(f"Hardly any case in the data has {texts[0]}")
    if len(texts) == 1:
        return formatting.end_sentence(f"The other facts do not go with {texts[0]}")
    return formatting.capitalize(f"{' and '.join(texts)} do not go together.")


def describe_knowledge(card: Card, name: str, knowledge: Knowledge) -> str:
    """Say how many of the words of a text the model knows."""
    known, different, words, _ = knowledge
    noun = card.by_name[name].noun
    if not words:
        return f"The {noun} has no word that the model could know."
    if not known:
        return f"It knows no word of the {noun}."
    count, every = (formatting.format_number(number, card.locale) for number in (known, words))
    if known < words:
        return f"It knows {count} of the {every} words of the {noun}."
    if knowledge.is_guess:
        return f"It knows only {different} word{'s' * (different != 1)} of the {noun}."
    return f"It knows all {every} words of the {noun}."
