"""A person's own data: taken out, and erased."""
