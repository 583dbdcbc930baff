"""The options of all commands in their families: each spelled and explained once.

A command takes a family as one parameter; `segeval.cli.command` spreads it into its options.
"""

from segeval.cli.options.labels import LabelOptions, TruthOptions
from segeval.cli.options.measures import MeasureOptions
from segeval.cli.options.objects import ObjectOptions
from segeval.cli.options.output import Format, OutputOptions
from segeval.cli.options.panels import Quiet, in_panel
from segeval.cli.options.scoring import ConventionOptions, GroupedOptions

__all__ = [
    "ConventionOptions",
    "Format",
    "GroupedOptions",
    "LabelOptions",
    "MeasureOptions",
    "ObjectOptions",
    "OutputOptions",
    "Quiet",
    "TruthOptions",
    "in_panel",
]
