"""Many territories: what to render, rendering it, telling what happened."""
