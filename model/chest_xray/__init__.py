"""The chest X-ray model: its card, its training code and what the training made."""
