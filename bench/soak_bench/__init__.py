"""A bounded run under flips and failures of the candidate."""
