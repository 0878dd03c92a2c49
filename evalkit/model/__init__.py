"""What exists: framework, territory, dossier. No file, no pandas."""
