"""`make bench`: what the project promises about speed, measured; see docs/performance.md."""
