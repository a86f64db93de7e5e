"""One Django app per domain. Which app may import which is a contract in pyproject.toml, checked by the tests."""
