"""Files to model and tables; every fault has a place."""
