"""The house price model: its card, its training code and what the training made."""
