"""The options of objects: label images, or components of classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segeval.cli.options.panels import in_panel
from segeval.errors import SettingError
from segeval.objects.names import nearest_name
from segeval.objects.rules import (
    DEFAULT,
    Connectivity,
    ObjectPooling,
    ObjectRules,
    ObjectSource,
    parse_iou_thresholds,
    parse_sizes,
)

if TYPE_CHECKING:
    from segeval.objects.components import Components
    from segeval.settings import LabelChoice

_objects = in_panel("Objects")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOptions:
    """Which values are objects, and how these are scored."""

    objects: ObjectSource | None = _objects(
        "Score objects as well: every value but 0 (ids), or every connected component of a class.",
        show_default=False,
    )
    connectivity: Connectivity | None = _objects(
        "Neighbours by which components are connected: 4 or 8, in volumes 6 or 26.",
        show_default="8",
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

    size_bins: str | None = _objects(
        "Score objects by size as well: pixels at which bins begin, e.g. 0,32^2,96^2.",
        metavar="N,N",
    )

    def rules(self, like: str | None = None) -> ObjectRules | None:
        """Return how objects are scored, as the preset does if it is one of objects, or None."""
        further = {
            "--iou-thresholds": self.iou_thresholds,
            "--objects-pooling": self.objects_pooling,
            "--size-bins": self.size_bins,
        }
        if self.connectivity is not None and self.objects != "components":
            raise SettingError("--connectivity needs --objects components")
        if self.objects is None:
            if stated := [name for name, value in further.items() if value is not None]:
                verb = "needs" if len(stated) == 1 else "need"
                raise SettingError(f"{' and '.join(stated)} {verb} --objects ids or components")
            return None
        from segeval.presets.objects import object_rules

        rules = object_rules(like, pooling=self.objects_pooling)
        thresholds = parse_iou_thresholds(self.iou_thresholds or DEFAULT)
        return replace(
            rules,
            source=self.objects,
            connectivity=self.connectivity,
            thresholds=thresholds,
            headline=nearest_name(rules.headline, thresholds),
            sizes=parse_sizes(self.size_bins) if self.size_bins is not None else (),
        )

    def numbering(self, choice: LabelChoice) -> Components | None:
        """Return how components are found while masks are counted, if these are the objects."""
        if self.objects != "components":
            return None
        from segeval.objects.components import Components

        return Components.of(choice, self.connectivity or "8")
