"""Numbers in, numbers out. No file, no clock, no French."""
