"""Publication to sentences, tables and pages."""
