"""What templates show: the submitted form, results, explanations, charts and their contexts.

It may import ``telemetry`` and all below it.
"""
