"""Objects of label images: found, matched and scored from the counts of a run alone."""
