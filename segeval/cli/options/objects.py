"""The options of objects: label images, in which every value is an object."""

from __future__ import annotations

from dataclasses import dataclass

from segeval.cli.options.panels import in_panel
from segeval.errors import SettingError
from segeval.objects.rules import (
    DEFAULT,
    ObjectPooling,
    ObjectRules,
    ObjectSource,
    parse_iou_thresholds,
)

_objects = in_panel("Objects")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOptions:
    """Which values are objects, and how these are scored."""

    objects: ObjectSource | None = _objects(
        "Score objects as well: every value but 0 is one (ids), of its class in --labels.",
        show_default=False,
    )
    iou_thresholds: str | None = _objects(
        "Least IoU of an object and its match: numbers, or START:STEP:END.",
        metavar="T,T",
        show_default=DEFAULT,
    )
    objects_pooling: ObjectPooling | None = _objects(
        "Scores of objects are of the counts of all images, or means over images.",
        show_default="dataset",
    )

    def rules(self) -> ObjectRules | None:
        """Return how objects are scored, or None if they are not."""
        if self.objects is None:
            if self.iou_thresholds is not None or self.objects_pooling is not None:
                raise SettingError("--iou-thresholds and --objects-pooling need --objects ids")
            return None
        return ObjectRules(
            source=self.objects,
            thresholds=parse_iou_thresholds(self.iou_thresholds or DEFAULT),
            pooling=self.objects_pooling or "dataset",
        )
