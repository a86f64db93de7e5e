"""Pages of an organization: one module for each topic."""
