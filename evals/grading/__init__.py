"""An answer and a ground truth in, a verdict for every entity out."""
