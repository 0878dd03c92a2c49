"""Documents made from the framework alone."""
