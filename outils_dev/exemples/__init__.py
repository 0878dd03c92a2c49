"""The invented territories of ``sample_data/``: names, sentences, figures, and how they are written down."""
