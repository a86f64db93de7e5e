"""Settings: `base` holds what is common; `production`, `embedded` (demo) and `testing` say where they differ."""
